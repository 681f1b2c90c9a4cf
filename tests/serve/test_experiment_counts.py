"""Counts of an experiment: who counts, which events, and what was shown before."""

from typing import Any

import pytest

from tastemaker.data.declaration import Declaration, ValueBands
from tastemaker.errors import BadInput
from tastemaker.serve import experiment_counts
from tastemaker.serve.events import Event
from tastemaker.serve.experiment_counts import NoExperiment, counts_of, window_of, written
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposure_rows import write_exposures
from tastemaker.serve.store import Store
from tests.serve.test_exposure_rows import answered

SPLIT = Experiment.parse("x=a,b")
DECLARED = Declaration(
    events={"view": "implicit_positive", "skip": "implicit_negative", "rate": "implicit_positive"},
    value=ValueBands(bands={"explicit_negative": (1, 2), "explicit_positive": (3.3, 5)}),
)
DAY = 86_400


def told(store: Store, *events: tuple[str, str, float, str, float | None]) -> None:
    store.append(
        [
            Event(f"{len(store)}-{n}", user, item, time, kind, value)
            for n, (user, item, time, kind, value) in enumerate(events)
        ]
    )


def counts(store: Store, now: float = 100, window: float = 10) -> dict[str, dict[str, Any]]:
    span = (round(window * 1e6), round(now * 1e6))
    users = counts_of(store.database, DECLARED, "x", *span).users
    return {row["user_id"]: row for row in users.iter_rows(named=True)}


def test_events_count_within_the_window_after_the_first_exposure(store: Store) -> None:
    answers = [answered("u", 20, "i"), answered("u", 25, "j"), answered("w", 22)]
    write_exposures(store.database, SPLIT, answers)
    told(
        store,
        ("u", "i", 19.9, "view", None),  # before
        ("u", "i", 20.0, "view", None),  # at the very moment: not because of it
        ("u", "i", 20.5, "", None),  # a hit: the unnamed kind is `view`
        ("u", "j", 24.0, "view", None),  # before it was shown
        ("u", "j", 26.0, "rate", 3.3),  # a hit
        ("u", "i", 27.0, "rate", 1.0),  # disliked
        ("u", "i", 27.5, "skip", None),
        ("u", "i", 28.0, "shown", None),  # nobody's doing
        ("u", "i", 28.5, "click", None),  # not declared
        ("u", "other", 30.0, "view", None),  # at the end of the window
        ("u", "i", 30.1, "view", None),  # after it
        ("other", "i", 25.0, "view", None),
    )
    both = counts(store)
    assert set(both) == {"u", "w"}
    done = [both["u"][name] for name in ("events", "positives", "hits", "undeclared", "answers")]
    assert done == [7, 4, 2, 1, 2]
    assert [both["w"][name] for name in ("events", "positives", "hits")] == [0, 0, 0]


def test_events_are_read_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [f"u{n}" for n in range(7)]
    write_exposures(store.database, SPLIT, [answered(user, 20, "i") for user in users])
    told(store, *(("u3", "i", 21 + n / 10, "view", None) for n in range(20)))
    told(store, *((user, "j", 22, "view", None) for user in users))
    whole = counts(store)
    monkeypatch.setattr(experiment_counts, "_BATCH", 3)
    assert counts(store) == whole
    assert (whole["u3"]["positives"], whole["u3"]["hits"], whole["u4"]["positives"]) == (21, 20, 1)


def test_a_window_that_is_not_over_does_not_count(store: Store) -> None:
    write_exposures(store.database, SPLIT, [answered("u", 20), answered("w", 20.000_001)])
    told(store, ("u", "i", 21, "view", None), ("w", "i", 21, "view", None))
    both = counts(store, now=30)
    assert {user: (row["ripe"], row["positives"]) for user, row in both.items()} == {
        "u": (True, 1),
        "w": (False, 0),
    }


def test_who_was_only_shown_what_is_popular_is_assigned_and_not_exposed(store: Store) -> None:
    answers = [
        answered("u", 20, "i", known=False),
        answered("u", 50, "j"),
        answered("w", 20, "i", known=False),
    ]
    write_exposures(store.database, SPLIT, answers)
    told(store, ("u", "i", 21, "view", None), ("u", "i", 51, "view", None))
    both = counts(store)
    assert [both["u"][name] for name in ("known", "positives", "hits", "answers")] == [
        True, 1, 0, 1]  # fmt: skip
    assert [both["w"][name] for name in ("known", "ripe", "answers")] == [False, False, 0]


def test_who_is_moved_by_a_change_or_met_two_arms_is_told_apart(store: Store) -> None:
    grown = Experiment.parse("x=a:0.25,b:0.75")
    users = [f"u{n}" for n in range(200)]
    for split, time in ((SPLIT, 20), (grown, 40)):
        some = users[:150] if time == 20 else users[50:]
        answers = [answered(user, time, arm=split.assigned(user).arm) for user in some]
        write_exposures(store.database, split, answers)
    found = counts(store)
    moved = {user for user in users if SPLIT.assigned(user) != grown.assigned(user)}
    assert moved == {user for user, row in found.items() if row["moved"]}
    met = {user for user, row in found.items() if row["both"]}
    assert met == moved & set(users[50:150])  # those who came back, whom the others resemble not
    splits = counts_of(store.database, DECLARED, "x", 1, 100).splits
    assert splits == (SPLIT, grown)


def test_an_experiment_that_is_none_names_those_there_are(store: Store) -> None:
    with pytest.raises(NoExperiment) as caught:
        counts(store)
    assert "none" in caught.value.fix
    for name in ("new", "older"):
        answers = [answered("u", 5), answered("w", 5)]
        write_exposures(store.database, Experiment.parse(f"{name}=a,b"), answers)
    with pytest.raises(NoExperiment) as caught:
        counts(store)
    assert "new, older" in caught.value.fix and caught.value.exit_code == 2
    for user in "uw":
        store.erase(user)
    with pytest.raises(NoExperiment):
        counts_of(store.database, DECLARED, "new", 1, 1)


def test_versions_of_a_run_are_counted(store: Store) -> None:
    answers = [answered("u", 5), answered("w", 5)._replace(version="v2"), answered("y", 6)]
    write_exposures(store.database, SPLIT, answers)
    assert counts_of(store.database, DECLARED, "x", 1, 10**9).versions == {"v": 2, "v2": 1}


def test_windows_are_written_in_words() -> None:
    sizes = {"7d": 7 * DAY, "12h": DAY / 2, "30m": 1_800, "90s": 90, "1d": DAY}
    assert {text: window_of(text) / 1e6 for text in sizes} == sizes
    told = {text: written(window_of(text)) for text in ("7d", "24h", "12h", "90s")}
    assert told == {"7d": "7 days", "24h": "1 day", "12h": "12 hours", "90s": "90 seconds"}
    for text in ("", "7", "d", "-1d", "0d", "1.5d", "7 d", "1e3s", "100001d", "٧d", "7w"):
        with pytest.raises(BadInput) as caught:
            window_of(text)
        assert caught.value.where == "--window"
