"""Old and new are asked the same, each by what it knows, and chance does not decide alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker.data.splits import split
from tastemaker.run import old_and_new
from tastemaker.run.old_and_new import Asked, compared, held_out, worse
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.update import Lesson, News, learn, lesson_of
from tests.run.news import log_of, visits


@pytest.fixture(scope="module")
def old(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@pytest.fixture(scope="module")
def lesson(old: SavedRun) -> Lesson:
    return lesson_of(old, News(log_of(visits())))


@pytest.fixture(scope="module")
def new(lesson: Lesson, tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    folder = tmp_path_factory.mktemp("compared") / "run"
    learn(lesson, folder, {"from": "v0"}, epochs=1)
    return open_run(folder)


def test_a_run_is_not_worse_than_itself(old: SavedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = np.ones(old.interactions.num_events, bool)
    pair = compared(old, old, everything, everything)
    assert pair is not None and pair["on"] == "newest" and pair["unknown_to_old"] == 0
    assert pair["difference"] == 0 and pair["ci95"] == [0, 0] and pair["old"] == pair["new"]
    assert pair["old"] == pytest.approx(old.results["models"][old.model_name()]["ndcg@10"]["mean"])
    assert not worse(pair, 0.0)


def test_few_users_do_not_settle_it_alone(
    old: SavedRun, new: SavedRun, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = compared(old, new, lesson.since, lesson.unlearnt)
    assert pair is not None and pair["on"] == "test" and pair["users"] == 70
    monkeypatch.setattr(old_and_new, "FEWEST", 30)
    pair = compared(old, new, lesson.since, lesson.unlearnt)
    assert pair is not None and pair["on"] == "newest" and pair["users"] == 30
    nothing = np.zeros_like(lesson.since)
    assert compared(old, new, nothing, nothing) is None


def test_only_wanted_events_are_asked_for_from_all_before_the_test(
    new: SavedRun, lesson: Lesson
) -> None:
    cuts = split(new.interactions, "last-2")
    queries, every = held_out(cuts, lesson.since), cuts.queries("test")
    assert 30 <= len(queries) < len(every)
    for row in range(len(queries)):
        place = int(np.flatnonzero(every.contexts.users == queries.contexts.users[row])[0])
        mine, whole = queries.contexts.slice(row, row + 1), every.contexts.slice(place, place + 1)
        assert mine.items.tolist() == whole.items.tolist()
        targets = queries.target_items[slice(*queries.target_offsets[row : row + 2])]
        assert set(targets) <= set(every.target_items[slice(*every.target_offsets[place:][:2])])
    newest = cuts.interactions.times
    assert newest is not None and queries.contexts.request_times is not None
    assert (queries.contexts.request_times >= 20_000).all()
    same = held_out(cuts, np.ones_like(lesson.since))
    assert same.target_items.tolist() == every.target_items.tolist()


def test_a_run_is_asked_for_what_it_knows(old: SavedRun, new: SavedRun) -> None:
    """Items that it does not know stand last, and say nothing; users are its own."""
    log = new.interactions
    users = np.array([log.user_codes["u1"], log.user_codes["n25"]])
    contexts = new.context("u1")
    told = Asked(old, new).score(contexts)
    assert told.shape == (1, log.num_items)
    assert torch.isinf(told[:, old.interactions.num_items :]).all()
    plain = old.context("u1")
    both = [item for item in new.context("u1").items if item <= old.interactions.num_items]
    longer = replace(
        plain,
        items=np.array(both, np.int32),
        offsets=np.array([0, len(both)]),
        times=None if plain.times is None else np.arange(len(both)),
        users=np.array([old.interactions.user_codes["u1"]]),
    )
    scores = old.model().score(longer)[0]
    listed = torch.from_numpy(old.models.candidates)
    assert torch.equal(told[0, : len(scores)][listed], scores[listed])
    strange = replace(
        contexts,
        items=np.array([log.item_codes["new1"]], np.int32),
        offsets=np.array([0, 1]),
        times=np.array([9]),
        users=users[1:],
    )
    popular = old.model("popularity").score(old.context("nobody"))[0]
    told = Asked(old, new).score(strange)
    assert torch.equal(told[0, : len(popular)][listed], popular[listed])


def test_what_an_old_run_does_not_know_is_a_miss_of_it(
    old: SavedRun, new: SavedRun, lesson: Lesson
) -> None:
    log = new.interactions
    users = np.repeat(np.arange(log.num_users), log.lengths)
    last = np.zeros(log.num_events, bool)
    last[log.offsets[1:] - 1] = True
    # As if the newest events had been of a new item.
    items = np.where(last & (users % 2 == 0), log.item_codes["new2"], log.items)
    moved = replace(new, interactions=replace(log, items=items.astype(np.int32)))
    kept = last & ~np.isin(users, users[log.items == log.item_codes["new2"]])
    pair = compared(old, moved, kept, kept)
    assert pair is not None and pair["unknown_to_old"] > 5
    assert pair["old"] < 1 and pair["users"] > pair["unknown_to_old"]


def test_worse_is_wholly_below_or_beyond_the_margin() -> None:
    def pair(difference: float, low: float, high: float) -> dict[str, object]:
        return {"difference": difference, "ci95": [low, high], "old": 0.2}

    assert worse(pair(-0.001, -0.002, -0.0001), 0.05)
    assert worse(pair(-0.02, -0.05, 0.01), 0.05)
    assert not worse(pair(-0.02, -0.05, 0.01), 0.1)
    assert not worse(pair(-0.009, -0.03, 0.01), 0.05)
    assert not worse(pair(0.0, 0.0, 0.0), 0.0)
    assert not worse(pair(0.1, 0.05, 0.2), 0.05)
