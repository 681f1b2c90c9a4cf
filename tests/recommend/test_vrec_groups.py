"""Ids and groups are made of training events and the catalogue, and of nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.recommend.vrec_groups import known_of, labelled
from tests.recommend.small_vrec import SMALL, catalog, ground


def two_tastes(users: int = 40, seed: int = 0) -> Contexts:
    """Users who choose among items 1 to 10 or among 11 to 20; nobody chooses 21 to 30."""
    rng = np.random.default_rng(seed)
    items = np.concatenate(
        [rng.permutation(10)[:6] + 1 + 10 * (user % 2) for user in range(users)]
    ).astype(np.int32)
    return Contexts(np.arange(users), np.arange(0, 6 * users + 1, 6), items)


def labels_of(name: str, where: Ground, **set_to: object) -> np.ndarray:
    config = replace(SMALL, verifiers=(name,), **set_to)  # type: ignore[arg-type]
    table = known_of(config, where).groupings[name].membership.toarray()
    assert (table.sum(1) <= 1).all()
    return np.where(table.any(1), table.argmax(1), -1)


def test_items_chosen_alike_are_of_one_collaborative_group() -> None:
    labels = labels_of("collaborative", ground(two_tastes()), classes=2)
    assert len(set(labels[:10])) == len(set(labels[10:20])) == 1
    assert labels[0] != labels[10]


def test_items_without_events_go_where_texts_are_nearest_or_nowhere() -> None:
    ids = pl.Series([f"i{n}" for n in range(30)])
    known = catalog()
    said = [f"taste{n // 10}" if n < 20 else f"taste{n % 2}" for n in range(29)] + [""]
    frame = known.frame.with_columns(title=pl.Series(said), categories=None)
    texts = Ground.of(ids, replace(known, frame=frame.cast(known.frame.schema)), two_tastes())
    labels = labels_of("collaborative", texts, classes=2)
    assert all(labels[n] == labels[10 * (n % 2)] for n in range(20, 29))
    assert labels[29] == -1
    bare = labels_of("collaborative", Ground(30, train=two_tastes()), classes=2, codes="events")
    assert (bare[20:] == -1).all() and (bare[:20] >= 0).all()


def test_texts_are_grouped_by_their_words() -> None:
    labels = labels_of("text", ground())
    assert all(len(set(labels[kind::3])) == 1 for kind in range(3))
    assert len(set(labels)) == 3


def test_groups_of_the_catalogue_and_random_ones_can_be_asked_for() -> None:
    config = replace(SMALL, verifiers=("category", "random"), classes=25)
    known = known_of(config, ground())
    assert known.groupings["category"].names == ("all", "k0", "k1", "k2")
    assert known.groupings["random"].membership.sum() == 30


def test_ids_are_of_words_of_events_or_given(tmp_path: Path) -> None:
    where = ground(two_tastes())
    auto = known_of(SMALL, where).ids.codes
    assert np.array_equal(auto, known_of(replace(SMALL, codes="words"), where).ids.codes)
    events = known_of(replace(SMALL, codes="events", size=3), where).ids.codes
    assert len({*events[:10, 0]} & {*events[10:20, 0]}) == 0
    path = tmp_path / "given.json"
    path.write_text(json.dumps({f"i{n}": [n % 5, n // 5] for n in range(30)}))
    given = known_of(replace(SMALL, codes=str(path)), where).ids.codes
    assert given.tolist() == [[n % 5, n // 5] for n in range(30)]


@pytest.mark.parametrize(
    "set_to", [{"codes": "words"}, {"verifiers": ("text",)}, {"verifiers": ("category",)},
               {"verifiers": ("nothing",)}, {"codes": "nowhere.json"}],
)  # fmt: skip
def test_what_is_missing_is_refused(set_to: dict[str, object]) -> None:
    bare = Ground(30, train=two_tastes())
    config = replace(SMALL, **{"verifiers": (), **set_to})  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        known_of(config, bare)
    with pytest.raises(ValueError, match="training events"):
        known_of(SMALL, Ground(30))


def test_groups_are_numbered_without_gaps() -> None:
    seen: list[list[int]] = []

    def named(labels: np.ndarray) -> list[str]:
        seen.append(labels.tolist())
        return ["few", "many"]

    grouping = labelled(np.array([7, -1, 3, 7]), named)
    assert seen == [[1, -1, 0, 1]]
    assert grouping.names == ("few", "many")
    assert grouping.membership.toarray().tolist() == [[0, 1], [0, 0], [1, 0], [0, 1]]


def named_of(name: str, where: Ground, **set_to: object) -> tuple[str, ...]:
    config = replace(SMALL, verifiers=(name,), **set_to)  # type: ignore[arg-type]
    return known_of(config, where).groupings[name].names


def titled(titles: list[str], train: Contexts) -> Ground:
    """Thirty items with these titles and nothing else."""
    frame = catalog().frame.with_columns(title=pl.Series(titles), categories=None)
    ids = pl.Series([f"i{n}" for n in range(30)])
    return Ground.of(ids, replace(catalog(), frame=frame.cast(catalog().frame.schema)), train)


def test_groups_of_texts_are_called_by_the_words_that_others_have_not() -> None:
    kinds = ("the love story", "the space war", "the cook book")
    where = titled([f"{kinds[n % 3]} no{n} (1995)" for n in range(30)], two_tastes())
    names = set(named_of("text", where))
    assert {frozenset(name.split(" · ")[:2]) for name in names} == {
        frozenset(words) for words in (("love", "story"), ("space", "war"), ("book", "cook"))
    }


def test_groups_of_what_is_chosen_alike_are_called_by_the_most_chosen_item(tmp_path: Path) -> None:
    rows = [[10 * (user % 2) + item for item in (1, 2, 3, 4 + user // 2 % 6)] for user in range(40)]
    items = np.array(rows, np.int32).reshape(-1)
    many = Contexts(np.arange(40), np.arange(0, 161, 4), items)
    titles = [f"Film {n} [red]<b>" for n in range(30)]
    config = replace(SMALL, verifiers=("collaborative",), classes=2)
    grouping = known_of(config, titled(titles, many)).groupings["collaborative"]
    assert set(grouping.names) == {"around Film 0 [red]<b>", "around Film 10 [red]<b>"}
    grouping.save(tmp_path / "groups.arrow")
    again = Grouping.open(tmp_path / "groups.arrow", "items", 30)
    assert again.names == grouping.names


@pytest.mark.parametrize("name", ["text", "collaborative", "random"])
@pytest.mark.parametrize("title", ["same", "the", "5", "?", "[red]x[/red]"])
def test_names_of_groups_are_unique_and_none_is_empty(name: str, title: str) -> None:
    where = titled([title] * 30, two_tastes())
    names = named_of(name, where, codes="events")
    assert len(set(names)) == len(names) and all(one.strip() for one in names)


def test_items_without_titles_are_called_by_their_ids() -> None:
    names = named_of("collaborative", titled([" "] * 30, two_tastes()), codes="events", classes=2)
    assert all(name.startswith("around i") for name in names)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-1, 6), max_size=10))
def test_any_labels_make_groups_in_their_order(labels: list[int]) -> None:
    known = sorted(set(labels) - {-1})
    names = [f"g{label}" for label in known]
    made = labelled(np.array(labels, np.int64), lambda dense: names)
    assert made.names == tuple(names)
    table = [[int(label == own) for own in known] for label in labels]
    assert made.membership.toarray().tolist() == table
