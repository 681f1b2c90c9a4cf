"""What of a history speaks for an item, on models whose cause is planted."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.errors import BadInput
from tastemaker.run import because
from tastemaker.run.because import contributions, most
from tastemaker.run.lists import Choice
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.wishes import Wishes
from tastemaker.seams import Steering
from tests.run.headed import headed
from tests.run.voices import Voices

ITEMS = 40


@dataclass(frozen=True, eq=False)
class Planted:
    """A model whose score is the sum of what each event says for each item."""

    said: Tensor
    """(I + 1, I)"""

    def score(self, contexts: Contexts) -> Tensor:
        rows = [
            self.said[torch.from_numpy(contexts.slice(n, n + 1).items.astype(np.int64))].sum(0)
            for n in range(len(contexts))
        ]
        return torch.stack(rows)


def planted(**causes: tuple[int, float]) -> Planted:
    """A model in which item `iN` speaks for another item with a weight."""
    said = torch.zeros(ITEMS + 1, ITEMS)
    for name, (item, weight) in causes.items():
        said[int(name[1:]), item - 1] += weight
    return Planted(said)


def test_what_an_item_adds_is_what_is_lost_without_it() -> None:
    model = planted(i3=(7, 2.0), i4=(7, -1.0), i5=(8, 0.5))
    left_out, losses = contributions(model, Contexts.single([3, 4, 5, 6]), np.array([7, 8, 9]))
    assert left_out.tolist() == [6, 5, 4, 3]
    assert losses.tolist() == [[0, 0, 0], [0, 0.5, 0], [-1, 0, 0], [2, 0, 0]]


def test_all_events_of_an_item_are_left_out_together() -> None:
    model = planted(i3=(7, 1.0))
    left_out, losses = contributions(model, Contexts.single([3, 5, 3]), np.array([7]))
    assert left_out.tolist() == [3, 5]
    assert losses[:, 0].tolist() == [2.0, 0.0]


def test_the_newest_events_alone_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(because, "ASKED", 2)
    left_out, _ = contributions(planted(), Contexts.single([1, 2, 3, 4]), np.array([7]))
    assert left_out.tolist() == [4, 3]


def test_the_largest_are_named_and_only_what_speaks_for_it() -> None:
    assert most(np.array([0.1, -3.0, 0.5, 0.5, 0.2])) == [2, 3, 4]
    assert most(np.array([0.0, -1.0])) == []


def test_heads_that_are_steered_are_asked_as_they_ranked() -> None:
    given = torch.zeros(3, 4, 5)
    given[1, 1, 2] = -1.0  # without item 2, `long` says less of item 3
    steering = Steering(torch.tensor([False, True, False, False]))
    choice = Choice(torch.ones(5, dtype=torch.bool), None, None, 0, 3, steering)
    heads = Voices(given)
    left_out, losses = contributions(heads, Contexts.single([1, 2]), np.array([3]), choice, heads)
    assert left_out.tolist() == [2, 1]
    assert losses[:, 0].tolist() == [1.0, 0.0]


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_a_planted_cause_is_named_in_the_answer(saved: SavedRun) -> None:
    codes = saved.interactions.item_codes
    said = torch.zeros(ITEMS + 1, ITEMS)
    for cause, item, weight in (("i1", "i20", 3.0), ("i2", "i20", 5.0), ("i2", "i21", 1.0)):
        said[codes[cause], codes[item] - 1] += weight
    models = replace(saved.models, counting={**saved.models.counting, "planted": Planted(said)})
    run = replace(saved, models=models)
    history = ["i1", "i2", "i9"]
    answer = run.rank(history, Wishes(3, because=True), "planted")
    first, second, third = answer.items
    assert [one.item for one in first.because] == ["i2", "i1"]
    assert first.because[0].title == "Item <2>"
    assert [one.item for one in second.because] == ["i2"]
    assert third.because == ()
    plain = run.rank(history, Wishes(3), "planted")
    assert all(item.because == () for item in plain.items)
    assert [replace(item, because=()) for item in answer.items] == list(plain.items)


@pytest.mark.parametrize("model", ["", "sasrec", "ease", "markov-last-5", "popularity"])
def test_every_model_can_be_asked(saved: SavedRun, model: str) -> None:
    answer = saved.recommend("u1", 3, model=model, because=True)
    history = set(saved.interactions.decode(saved.context("u1").items))
    for item in answer.items:
        assert len(item.because) <= 3
        assert {one.item for one in item.because} <= history
    if model == "popularity":
        assert not any(item.because for item in answer.items)


def test_nothing_speaks_for_what_is_popular(saved: SavedRun) -> None:
    answer = saved.recommend("nobody", 3, because=True)
    assert all(item.because == () for item in answer.items)
    assert headed(saved).recommend("u1", 2, only=["short-term"], because=True).items


def test_reasons_are_refused_where_they_would_have_no_place(saved: SavedRun) -> None:
    for ask in (
        lambda: saved.recommend_all(["u1"], because=True),
        lambda: saved.browse.popular(Wishes(because=True)),
        lambda: saved.browse.latest(Wishes(because=True)),
    ):
        with pytest.raises(BadInput) as caught:
            ask()
        assert caught.value.where == "--because"


@dataclass(frozen=True, eq=False)
class Entangled:
    """Whole numbers of everything in a history: its items, their order, times, kinds, who asks."""

    def score(self, contexts: Contexts) -> Tensor:
        return torch.tensor(
            [self.of(*parts(contexts, row)) for row in range(len(contexts))], dtype=torch.float32
        )

    @staticmethod
    def of(events: list[tuple[int, int, int]], user: int) -> list[int]:
        total = [7 * user] * ITEMS
        for place, (item, when, kind) in enumerate(events):
            for column in range(ITEMS):
                total[column] += (item * (column + 1) + when * place) % 13 + kind * len(events)
        return total


def parts(contexts: Contexts, row: int) -> tuple[list[tuple[int, int, int]], int]:
    one = contexts.slice(row, row + 1)
    assert one.times is not None and one.events is not None
    flat = zip(one.items.tolist(), one.times.tolist(), one.events.tolist(), strict=True)
    return list(flat), int(one.users[0])


event = st.tuples(st.integers(1, 9), st.integers(0, 50), st.integers(0, 2))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(event, min_size=1, max_size=26),
    st.lists(st.integers(1, ITEMS), max_size=4),
    st.integers(-1, 5),
)
def test_what_is_lost_is_what_scores_without_an_item_say(
    events: list[tuple[int, int, int]], listed: list[int], user: int
) -> None:
    items, times, kinds = map(list, zip(*events, strict=True))
    context = replace(Contexts.single(items, times, user), events=np.array(kinds, np.uint8))
    codes = np.array(listed, np.int64)
    left_out, losses = contributions(Entangled(), context, codes)
    asked = list(dict.fromkeys(items[::-1][:20]))
    assert left_out.tolist() == asked and losses.shape == (len(asked), len(listed))
    # Memories are of users: somebody's own may not speak where an item is left out.
    whole = Entangled.of(events, -1)
    for row, item in enumerate(asked):
        less = Entangled.of([one for one in events if one[0] != item], -1)
        assert losses[row].tolist() == [whole[code - 1] - less[code - 1] for code in listed]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-3, 4), max_size=9))
def test_the_named_are_the_first_of_all_that_speak_for_an_item(losses: list[int]) -> None:
    speaking = sorted((-loss, row) for row, loss in enumerate(losses) if loss > 0)
    assert most(np.array(losses, np.float64)) == [row for _, row in speaking[:3]]


def test_where_one_item_is_all_of_the_history_its_loss_is_that_to_nothing() -> None:
    model = planted(i3=(7, 2.0))
    left_out, losses = contributions(model, Contexts.single([3, 3, 3]), np.array([7, 3]))
    assert (left_out.tolist(), losses.tolist()) == ([3], [[6.0, 0.0]])
