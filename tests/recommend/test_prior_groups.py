"""Groups of priors: of what people wrote or of training events alone, each with its own name."""

from dataclasses import replace
from itertools import combinations
from typing import get_args

import numpy as np
import polars as pl
import pytest

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.categories import fold
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, EVENT, INTEREST, Ground
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput
from tastemaker.recommend.prior_groups import counted_other, grouping_of
from tastemaker.recommend.priors_shape import Prior, PriorsConfig
from tastemaker.worlds.logs import planted_groups
from tests.data.histories import contexts_of

PRIORS: tuple[Prior, ...] = tuple(prior for prior in get_args(Prior) if prior != INTEREST)
FOUND: tuple[Prior, ...] = ("community", "cluster", "user")
TOPICS = ["star trek space", "love song piano", "tax law court", "horse race field"]


def catalog(items: int, **columns: list[object]) -> Catalog:
    """Items `i0`, `i1` … with some columns."""
    known = {"item_id": [f"i{item}" for item in range(items)], **columns}
    nulls = [None] * items
    return Catalog(pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA))


def written(items: int = 80) -> Catalog:
    """Titles and texts; item n is of topic n mod 4."""
    titles = [f"Thing {item} (1999)" for item in range(items)]
    return catalog(items, title=titles, text=[TOPICS[item % 4] for item in range(items)])


def log_of(seed: int = 0) -> Interactions:
    """Users of two tastes each, and two kinds of event."""
    world = planted_groups(users=120, length=20, items=80, groups=4, seed=seed)
    kinds = ["view" if row % 3 else "buy" for row in range(len(world.frame))]
    return Interactions.from_frame(world.frame.with_columns(event=pl.Series(kinds)))


def ground_of(log: Interactions, known: Catalog | None = None) -> Ground:
    train = leave_one_out(log).train()
    return Ground.of(log.item_ids, known or written(), train, log.event_names)


def same(one: Grouping, two: Grouping) -> bool:
    equal = bool((one.membership != two.membership).nnz == 0)
    return (one.names, one.of) == (two.names, two.of) and equal


def grouped(prior: Prior, ground: Ground, groups: int = 20) -> Grouping:
    return grouping_of(prior, PriorsConfig(priors=(prior,), groups=groups), ground)


@pytest.mark.parametrize("prior", PRIORS)
def test_every_member_has_a_group_and_every_group_a_name_of_its_own(prior: Prior) -> None:
    log = log_of()
    names = [["Drama"] if item % 2 else ["War", "Comedy"] for item in range(80)]
    known = written().frame.with_columns(categories=pl.Series(names))
    ground = ground_of(log, Catalog(known))
    grouping = grouped(prior, ground, 6)
    of = {"event": ("events", 2), "user": ("users", log.num_users)}.get(prior, ("items", 80))
    assert (grouping.of, grouping.num_members) == of
    assert (np.diff(grouping.membership.indptr) >= 1).all()
    assert 2 <= grouping.num_groups <= 7
    assert len({fold(name) for name in grouping.names}) == grouping.num_groups
    assert counted_other(grouping) == 0


def test_they_are_called_by_what_people_know() -> None:
    ground = ground_of(log_of())
    assert set(grouped("cluster", ground, 4).names) == {
        "space · star · trek", "love · piano · song", "court · law · tax", "field · horse · race",
    }  # fmt: skip
    counts = np.bincount(ground.train.items)[1:]
    community = grouped("community", ground)
    for group, name in enumerate(community.names):
        item = np.where(community.members(group), counts, -1).argmax()
        assert name == f"around {ground.catalog.titles()[item]}"
    for name in grouped("user", ground, 6).names:
        assert name.startswith("users of Thing ")
    bare = ground_of(log_of(), Catalog.empty())
    assert all(name.startswith("around i") for name in grouped("community", bare).names)
    unnamed = Ground(80, train=ground.train)
    assert all(name.startswith("around item ") for name in grouped("community", unnamed).names)


def test_users_are_called_by_their_categories_where_there_are_some() -> None:
    log = log_of()
    ids = catalog(80, categories=[[f"g{item % 4}"] for item in range(80)])
    grouping = grouped("user", ground_of(log, ids), 6)
    tastes = {frozenset(name.removeprefix("users of ").split(" · ")) for name in grouping.names}
    assert tastes == {frozenset(pair) for pair in combinations(["g0", "g1", "g2", "g3"], 2)}


def test_interests_are_those_that_the_ground_has() -> None:
    ground = ground_of(log_of())
    with pytest.raises(BadInput, match="No interest"):
        grouped("interest", ground)
    known = Grouping.from_labels(["Tea", "Chess"] * 60)
    assert grouped("interest", replace(ground, groupings={INTEREST: known})) is known


@pytest.mark.parametrize("prior", PRIORS)
def test_nothing_but_training_events_is_learnt_from(prior: Prior) -> None:
    """Last events and the one before are of test and validation."""
    log = log_of()
    given = written().frame.with_columns(categories=pl.Series([["a"], ["b"]] * 40))
    changed = log.items.copy()
    held_out = np.concatenate([log.offsets[1:] - 1, log.offsets[1:] - 2])
    changed[held_out] = np.random.default_rng(1).permutation(changed[held_out])
    other = replace(log, items=changed)
    assert not np.array_equal(other.items, log.items)
    for known in (Catalog(given), written()) if prior == "user" else (Catalog(given),):
        one, two = (grouped(prior, ground_of(each, known), 5) for each in (log, other))
        assert same(one, two)
        assert same(one, grouped(prior, ground_of(log, known), 5)), "the same again"


@pytest.mark.parametrize("prior", FOUND)
def test_items_that_nobody_chose_in_training_say_nothing(prior: Prior) -> None:
    log = log_of()
    train = leave_one_out(log).train()
    kept = train.items <= 60
    bounds = np.concatenate([[0], np.cumsum(kept)])[train.offsets]
    fewer = Contexts(train.users, bounds, train.items[kept])
    known = written().align(log.item_ids).frame
    texts = known["text"].to_list()
    turned = known.with_columns(text=pl.Series(texts[:60] + texts[:59:-1]))
    one, two = (grouped(prior, Ground(80, Catalog(each), fewer), 4) for each in (known, turned))
    assert one.names == two.names
    rows = slice(60) if one.of == "items" else slice(None)
    np.testing.assert_array_equal(one.membership[rows].toarray(), two.membership[rows].toarray())


def test_members_in_no_group_are_in_other_and_counted() -> None:
    train = contexts_of([[1, 2, 3], [1, 2, 3], [], [4, 5], [5, 4]])
    texts = ["star trek", "star trek", None, "love song", "", None, "star song"]
    ground = Ground(7, catalog(7, text=texts), train)
    community, cluster, user = (grouped(prior, ground, 2) for prior in FOUND)
    assert (community.names[-1], counted_other(community)) == (OTHER, 2)
    assert community.membership.toarray().argmax(1).tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert (cluster.names[-1], counted_other(cluster)) == (OTHER, 3)
    assert cluster.names[:2] == ("star · trek", "love · song")
    assert (user.names[-1], counted_other(user)) == (OTHER, 1)
    assert counted_other(Grouping.from_labels([["a", "other"], ["other"], None])) == 2
    assert counted_other(Grouping.from_event_names(("view", "other"))) == 0


def test_groups_that_nobody_trains_are_kept() -> None:
    train = replace(contexts_of([[1, 2], [2]]), events=np.array([0, 2, 2], np.uint8))
    items = catalog(4, categories=[["a"], ["a", "b"], ["c"], ["d", "b"]])
    ground = Ground.of(items.frame["item_id"], items, train, ("view", "like", "buy"))
    category, event = grouped("category", ground), grouped("event", ground)
    assert (category.num_groups, event.num_groups) == (4, 3)


@pytest.mark.parametrize("prior", FOUND)
def test_a_thousand_groups(prior: Prior) -> None:
    world = planted_groups(users=1200, length=8, items=1500, groups=300)
    log = world.interactions()
    rng = np.random.default_rng(0)
    words = [f"w{a} v{b} u{c}" for a, b, c in rng.integers(0, 60, (1500, 3))]
    texts = pl.DataFrame({"item_id": [f"i{n}" for n in range(1500)], "text": words})
    known = written(1500).frame.drop("text").join(texts, on="item_id")
    ground = ground_of(log, Catalog(known.select(list(SCHEMA))))
    grouping = grouped(prior, ground, 1000)
    assert len(set(grouping.names)) == grouping.num_groups <= 1001
    assert grouping.num_groups > (20 if prior == "community" else 900)
    assert grouping.membership.nnz == grouping.num_members


def test_what_cannot_be_grouped_is_refused() -> None:
    train = contexts_of([[1], [2]])
    bare = Ground.of(pl.Series(["a", "b"]), Catalog.empty(), train, ("view",))
    for prior in ("category", "cluster", "event", "community"):
        with pytest.raises(BadInput) as caught:
            grouped(prior, bare)
        assert caught.value.fix
    with pytest.raises(BadInput, match="one kind of event"):
        grouped("event", replace(bare, groupings={}))
    untrained = catalog(3, text=[None, "", "star trek"])
    with pytest.raises(BadInput, match="has a text"):
        grouped("cluster", Ground(3, untrained, train))
    for prior in ("community", "cluster", "user"):
        with pytest.raises(ValueError, match="training events"):
            grouped(prior, Ground(3, untrained))


def test_a_grounds_own_groups_are_taken() -> None:
    ground = ground_of(log_of(), catalog(80, categories=[["a"], ["b"]] * 40))
    assert grouped("category", ground) is ground.groupings[CATEGORY]
    assert grouped("event", ground) is ground.groupings[EVENT]
