"""What a split shows already is refused before training, with the user's own ids."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import Split, global_time, leave_one_out
from tastemaker.errors import BadInput
from tastemaker.run import queries
from tastemaker.run.queries import check_queries, validation_queries
from tastemaker.worlds.logs import planted_groups


def timed(rows: list[tuple[str, str, int]]) -> Interactions:
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    return Interactions.from_frame(frame)


def test_sound_splits_pass() -> None:
    check_queries(leave_one_out(planted_groups(users=30, items=20, length=9).interactions()), False)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_repeated_target_is_named_with_the_ids_of_its_user(part: str) -> None:
    last = ["b", "a"] if part == "test" else ["a", "c"]
    sequences = {f"u{n}": ["a", "b", "c", "d"] for n in range(9)} | {"anna": ["a", "e", *last]}
    cuts = leave_one_out(Interactions.from_sequences(sequences))
    with pytest.raises(BadInput) as caught:
        check_queries(cuts, repeats=False)
    assert f"1 of 10 {part} targets" in caught.value.what
    assert "'anna'" in caught.value.where
    assert "'a'" in caught.value.where
    assert "--repeats" in caught.value.fix
    check_queries(cuts, repeats=True)


def test_a_validation_part_that_nobody_can_be_asked_for_is_refused_with_its_cause() -> None:
    old = [(f"u{n % 9}", f"i{(n // 9 + n) % 12}", n) for n in range(81)]
    new = [(f"new{n}", "i1", 81 + n) for n in range(9)]
    late = [(f"u{n % 9}", f"i{n % 12}", 90 + n) for n in range(10)]
    cuts = global_time(timed(old + new + late))
    with pytest.raises(BadInput) as caught:
        check_queries(cuts, repeats=True)
    assert "None of the 9 validation events" in caught.value.what
    assert "9 are of users without a training event" in caught.value.where
    assert "--split" in caught.value.fix


def test_an_empty_part_says_how_many_times_there_are() -> None:
    log = timed([(f"u{n}", f"i{m}", 7) for n in range(4) for m in range(4)])
    ends = log.offsets[1:]
    cuts = Split("global-time", log, ends - 1, ends - 1)
    with pytest.raises(BadInput, match="No event falls into the validation part") as caught:
        check_queries(cuts, repeats=True)
    assert "16 events at 1 different times" in caught.value.where


def test_many_validation_users_are_sampled_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = leave_one_out(planted_groups(users=40, items=20, length=9).interactions())
    monkeypatch.setattr(queries, "VALIDATION_USERS", 10)
    one, two = validation_queries(cuts), validation_queries(replace(cuts))
    assert len(one) == 10
    assert np.array_equal(one.contexts.users, two.contexts.users)
