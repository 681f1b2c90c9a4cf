"""Splits against brute force: nothing of the future trains, nothing of the past is asked."""

from dataclasses import replace
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import Split, global_time, last_events, leave_one_out, split
from tastemaker.errors import BadInput


@st.composite
def logs(draw: st.DrawFn) -> Interactions:
    """Random logs with ties of time, and at least one user with four events."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 12), st.integers(0, 30)),
            min_size=5,
            max_size=80,
        )
    )
    rows += [(9, item, item) for item in range(12)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Interactions.from_frame(frame)


def events(log: Interactions, user: int) -> list[int]:
    return log.history(user).tolist()


def parts_of(cuts: Split, user: int) -> tuple[list[int], list[int], list[int]]:
    log, start = cuts.interactions, int(cuts.interactions.offsets[user])
    first, second = int(cuts.train_end[user]) - start, int(cuts.valid_end[user]) - start
    whole = events(log, user)
    return whole[:first], whole[first:second], whole[second:]


@given(logs(), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_last_events_by_brute_force(log: Interactions, held: int) -> None:
    cuts = last_events(log, held)
    for user in range(log.num_users):
        whole = events(log, user)
        train, valid, test = parts_of(cuts, user)
        if len(whole) < 2 * held + 1:
            assert (train, valid, test) == (whole, [], [])
        else:
            assert train == whole[: -2 * held]
            assert valid == whole[-2 * held : -held]
            assert test == whole[-held:]


@given(logs())
@settings(max_examples=40, deadline=None)
def test_leave_one_out_asks_for_the_last_event(log: Interactions) -> None:
    cuts = leave_one_out(log)
    for part, back in (("valid", 2), ("test", 1)):
        queries = cuts.queries(part)  # type: ignore[arg-type]
        assert (np.diff(queries.target_offsets) == 1).all()
        for row, user in enumerate(queries.contexts.users):
            whole = events(log, int(user))
            assert len(whole) >= 3
            assert queries.target_items[row] == whole[-back]
            assert queries.contexts.slice(row, row + 1).items.tolist() == whole[:-back]
    long = [user for user in range(log.num_users) if len(events(log, user)) >= 3]
    assert cuts.queries("test").contexts.users.tolist() == long


@given(logs(), st.sampled_from([0.1, 0.3]))
@settings(max_examples=40, deadline=None)
def test_global_time_by_brute_force(log: Interactions, share: float) -> None:
    try:
        cuts = global_time(log, share)
    except BadInput:
        return
    assert log.times is not None
    trained: set[int] = set()
    latest, earliest = -1, 10**9
    for user in range(log.num_users):
        times = log.times[log.offsets[user] : log.offsets[user + 1]].tolist()
        train, valid, test = parts_of(cuts, user)
        trained |= set(train)
        latest = max([latest, *times[: len(train)]])
        earliest = min([earliest, *times[len(train) :]])
    assert latest < earliest  # nobody's training reaches into anybody's validation or test
    for part in ("valid", "test"):
        queries = cuts.queries(part)  # type: ignore[arg-type]
        assert set(queries.target_items.tolist()) <= trained
        for row, user in enumerate(queries.contexts.users):
            train, valid, test = parts_of(cuts, int(user))
            own = slice(queries.target_offsets[row], queries.target_offsets[row + 1])
            wanted = valid if part == "valid" else test
            assert train
            assert queries.target_items[own].tolist() == [i for i in wanted if i in trained]
            past = train if part == "valid" else train + valid
            assert queries.contexts.slice(row, row + 1).items.tolist() == past
    unseen = sum(i not in trained for u in range(log.num_users) for i in parts_of(cuts, u)[2])
    assert cuts.summary()["unseen_targets"] == unseen


def simple(users: int = 5) -> Interactions:
    return Interactions.from_sequences({f"u{u}": list("abcdef"[u % 2 :]) for u in range(users)})


def test_training_rows_end_where_asked() -> None:
    cuts = leave_one_out(simple())
    assert cuts.train().lengths.tolist() == [4, 3, 4, 3, 4]
    assert cuts.train("valid").lengths.tolist() == [5, 4, 5, 4, 5]


def test_training_events_are_copied_and_counted_once() -> None:
    log = simple()
    cuts = leave_one_out(log)
    assert cuts.train() is cuts.train()
    assert cuts.train_counts is cuts.train_counts
    rows = cuts.train().items.tolist()
    assert cuts.train_counts.tolist() == [rows.count(code) for code in range(1, log.num_items + 1)]


def test_candidates_are_the_items_with_training_events() -> None:
    cuts = leave_one_out(Interactions.from_sequences({"u": list("abcd"), "v": list("abc")}))
    names = dict(zip(cuts.interactions.item_ids, cuts.trained_items.tolist(), strict=True))
    assert names == {"a": True, "b": True, "c": False, "d": False}
    assert cuts.summary()["unseen_targets"] == 2


def test_the_summary_counts_everybody() -> None:
    log = Interactions.from_sequences({"u": list("abcd"), "one": ["a"], "two": ["a", "b"]})
    assert leave_one_out(log).summary() == {
        "train_events": 5, "valid_targets": 1, "test_targets": 1, "valid_users": 1,
        "test_users": 1, "cold_users": 0, "unseen_targets": 1,
    }  # fmt: skip


def test_users_without_a_past_are_cold() -> None:
    frame = pl.DataFrame(
        {"user_id": list("aaaaaaaaaz"), "item_id": list("0101010101"), "timestamp": range(10)}
    )
    cuts = global_time(Interactions.from_frame(frame), 0.2)
    assert cuts.summary()["cold_users"] == 1
    assert "z" not in [
        cuts.interactions.user_ids[int(u)] for u in cuts.queries("test").contexts.users
    ]


def test_hashes_tell_data_and_cuts_apart() -> None:
    log = simple()
    one, two = leave_one_out(log), last_events(log, 2)
    assert one.sha256 != two.sha256
    assert one.sha256 == leave_one_out(simple()).sha256
    assert one.sha256 != leave_one_out(simple(4)).sha256
    moved = replace(one, train_end=one.train_end - 1)
    assert moved.sha256 != one.sha256


@given(logs(), st.randoms())
@settings(max_examples=20, deadline=None)
def test_taken_queries_keep_their_past_their_times_and_their_targets(
    log: Interactions, random: Random
) -> None:
    whole = last_events(log, 1).queries("test")
    rows = [random.randrange(len(whole)) for _ in range(2 * len(whole))]
    some = whole.take(np.array(rows, np.int64))
    assert len(some) == len(rows) and some.contexts.request_times is not None
    for at, row in enumerate(rows):
        user = int(whole.contexts.users[row])
        start, end = int(log.offsets[user]), int(log.offsets[user + 1])
        one = some.contexts.slice(at, at + 1)
        assert one.users.tolist() == [user]
        assert one.items.tolist() == log.items[start : end - 1].tolist()
        assert log.times is not None and one.times is not None
        assert one.times.tolist() == log.times[start : end - 1].tolist()
        assert some.contexts.request_times[at] == log.times[end - 1]
        own = slice(some.target_offsets[at], some.target_offsets[at + 1])
        assert some.target_items[own].tolist() == [log.items[end - 1]]


@pytest.mark.parametrize("name", ["leave-one-out", "last-1", "last-2"])
def test_splits_have_names(name: str) -> None:
    assert split(simple(), name).name == name


@pytest.mark.parametrize(
    ("name", "cause"),
    [("last-0", "horizon of 0"), ("last-x", "no split"), ("random", "no split"), ("", "no split"),
     ("last-99", "199 events"), ("global-time", "no times")],
)  # fmt: skip
def test_splits_that_cannot_be_made(name: str, cause: str) -> None:
    with pytest.raises(BadInput, match=cause) as caught:
        split(simple(), name)
    assert caught.value.fix


def test_the_clock_cuts_a_tenth_of_the_events_and_a_tenth_of_the_rest() -> None:
    frame = pl.DataFrame(
        {"user_id": ["a"] * 11, "item_id": list("abcdefghdcb"), "timestamp": range(11)}
    )
    cuts = split(Interactions.from_frame(frame), "global-time")
    assert items_of(cuts, "a") == ["abcdefgh", "d", "cb"]


def test_a_log_without_events_cannot_be_cut() -> None:
    empty = pl.DataFrame(schema={"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64})
    for name in ("global-time", "leave-one-out", "last-3"):
        with pytest.raises(BadInput):
            split(Interactions.from_frame(empty), name)


@pytest.mark.parametrize("share", [0.0, 0.5, -1.0])
def test_shares_of_time_are_checked(share: float) -> None:
    frame = pl.DataFrame(
        {"user_id": ["a"] * 9, "item_id": list("abcdefghi"), "timestamp": range(9)}
    )
    with pytest.raises(BadInput, match="share"):
        global_time(Interactions.from_frame(frame), share)


def made(rows: list[tuple[str, str, int, str]], names: str = "user_id item_id timestamp split"):
    return Interactions.from_frame(pl.DataFrame(rows, schema=names.split(), orient="row"))


READY = [
    ("u", "a", 5, "train"), ("u", "b", 2, "train"), ("u", "c", 9, "valid"), ("u", "d", 1, "test"),
    ("u", "e", 7, "test"), ("v", "c", 1, "train"), ("v", "e", 2, "test"), ("v", "a", 3, "test"),
    ("w", "d", 1, "test"), ("x", "d", 1, "train"), ("x", "a", 2, "valid"),
]  # fmt: skip


def items_of(cuts: Split, user: str) -> list[str]:
    parts = parts_of(cuts, cuts.interactions.user_codes[user])
    return ["".join(cuts.interactions.decode(np.array(part, np.int32))) for part in parts]


def test_a_given_split_is_taken_as_it_is() -> None:
    cuts = split(made(READY), "given")
    assert {user: items_of(cuts, user) for user in "uvwx"} == {
        "u": ["ba", "c", "de"], "v": ["c", "", "ea"], "w": ["", "", "d"], "x": ["d", "a", ""],
    }  # fmt: skip
    test, log = cuts.queries("test"), cuts.interactions
    asked = {
        log.user_ids[int(user)]: (
            log.decode(test.contexts.slice(row, row + 1).items),
            log.decode(test.target_items[test.target_offsets[row] : test.target_offsets[row + 1]]),
        )
        for row, user in enumerate(test.contexts.users)
    }
    # e never trains; w has no past
    assert asked == {"u": (["b", "a", "c"], ["d"]), "v": (["c"], ["a"])}
    assert cuts.summary()["unseen_targets"] == 2
    assert cuts.summary()["cold_users"] == 1


def test_other_splits_cut_a_ready_made_one_by_time() -> None:
    ready = made(READY)
    plain = made([row[:3] for row in READY], "user_id item_id timestamp")  # type: ignore[misc]
    for name in ("leave-one-out", "last-1", "global-time"):
        try:
            want = split(plain, name)
        except BadInput:
            continue
        got = split(ready, name)
        assert got.interactions.parts is None
        for user in "uvwx":
            assert items_of(got, user) == items_of(want, user)
        assert got.sha256 == want.sha256


def test_without_validation_events_the_last_training_event_validates() -> None:
    cuts = split(made([row for row in READY if row[3] != "valid"]), "given")
    assert items_of(cuts, "u") == ["b", "a", "de"]
    assert items_of(cuts, "v") == ["c", "", "ea"]  # never the only training event


def test_a_given_split_is_asked_for_in_vain() -> None:
    with pytest.raises(BadInput) as caught:
        split(simple(), "given")
    assert "column" in caught.value.fix


@pytest.mark.parametrize("name", ["last-²", "last-١٠", "last-", "last--1", "last-1.5", "Given"])
def test_numbers_of_a_split_are_plain(name: str) -> None:
    with pytest.raises(BadInput, match="no split called"):
        split(simple(), name)


def test_equal_times_cannot_be_cut() -> None:
    rows = [("u", item, 7) for item in "abcdef"] + [("v", item, 7) for item in "abcdef"]
    with pytest.raises(BadInput, match="All events have the same time"):
        split(made(rows, "user_id item_id timestamp"), "global-time")  # type: ignore[arg-type]


def test_a_split_without_queries_says_which_and_why() -> None:
    strangers = [("u", "a", 1, "train"), ("v", "a", 2, "test")]
    unseen = [("u", "a", 1, "train"), ("u", "b", 2, "test"), ("v", "a", 1, "train")]
    none = [("u", "a", 1, "train"), ("u", "b", 2, "valid")]
    for rows, why in ((strangers, "before them"), (unseen, "is in training"), (none, "no event")):
        with pytest.raises(BadInput, match="no test query") as caught:
            split(made(rows), "given")
        assert why in caught.value.what
        assert caught.value.fix
