"""No client moves the model much further than others do."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tastemaker.federate.clipping import ClipConfig, clip_rows, clip_updates
from tastemaker.seams import Broadcast, Reply

START = {"a": torch.zeros(3), "n": torch.tensor(0)}


def moved(client: str, length: float, steps: int = 1) -> Reply:
    weights = {"a": torch.tensor([0.0, length, 0.0]), "n": torch.tensor(steps)}
    return Reply(client, 1, weights, 1)


def test_an_update_is_at_most_three_median_ones() -> None:
    replies = [moved("a", 1.0), moved("b", 1.2), moved("c", 3.5), moved("d", 0.8, steps=7)]
    kept, clipped, _ = clip_updates(ClipConfig(), Broadcast(1, START), replies)
    limit = 3 * 1.1
    assert [one is other for one, other in zip(kept, replies, strict=True)] == [1, 1, 0, 1]
    torch.testing.assert_close(kept[2].weights["a"], torch.tensor([0.0, limit, 0.0]))
    assert kept[2].weights["n"] == 1, "whole numbers are not scaled"
    assert [(one.client, one.rule, one.round) for one in clipped] == [("c", "norm", 1)]


def test_an_update_that_is_too_long_and_leads_away_is_refused() -> None:
    """One that leads away and is no longer than others stays, and one that is long alone too."""
    replies = [moved("a", 1.0), moved("b", 1.2), moved("c", -3.5), moved("d", -1.0)]
    sent = Broadcast(1, START)
    kept, clipped, refused = clip_updates(ClipConfig(), sent, replies)
    assert kept == [replies[0], replies[1], replies[3]] and not clipped
    assert [(one.client, one.rule) for one in refused] == [("c", "norm")]
    across = Reply("c", 1, {"a": torch.tensor([50.0, 0.1, 0.0]), "n": torch.tensor(0)}, 1)
    kept, clipped, refused = clip_updates(ClipConfig(), sent, [*replies[:2], across, replies[3]])
    assert len(kept) == 4 and len(clipped) == 1 and not refused
    kept, clipped, refused = clip_updates(ClipConfig(few=2.0), sent, replies[1:3])
    assert len(kept) == 2 and len(clipped) == 1 and not refused, "two say nothing of each other"


def test_two_of_usual_length_are_enough_to_lead_away_from() -> None:
    """Three replies are compared, of which two say where the others go; one alone says nothing."""
    replies = [moved("a", 1.0), moved("b", 1.2), moved("c", -9.0)]
    _, clipped, refused = clip_updates(ClipConfig(), Broadcast(1, START), replies)
    assert [one.client for one in refused] == ["c"] and not clipped
    replies = [moved("a", 0.1), moved("b", -9.0), moved("c", 9.0)]
    kept, _, refused = clip_updates(ClipConfig(updates=0.5), Broadcast(1, START), replies)
    assert len(kept) == 3 and not refused


def test_away_is_from_what_was_sent_and_not_from_zero() -> None:
    """Far from zero, weights point one way whatever an update does; counters point nowhere."""
    start = {"a": torch.tensor([100.0, 100.0]), "n": torch.tensor(7)}
    ways = {"a": [1.0, 0.0], "b": [1.2, 0.0], "c": [0.9, 0.1], "d": [-9.0, 0.0], "e": [9.0, 1.0]}
    replies = [
        Reply(client, 1, {"a": start["a"] + torch.tensor(way), "n": torch.tensor(10**6)}, 1)
        for client, way in ways.items()
    ]
    kept, clipped, refused = clip_updates(ClipConfig(), Broadcast(1, start), replies)
    assert [one.client for one in refused] == ["d"]
    assert [one.client for one in clipped] == ["e"] and len(kept) == 4


def test_an_update_is_away_by_all_of_its_tensors_together() -> None:
    """A little against the others in one tensor, and much with them in another."""
    start = {"a": torch.zeros(2), "b": torch.zeros(2)}
    ways = {c: ([1.0, 0.0], [0.1, 0.0]) for c in "uvw"} | {"x": ([9.0, 0.0], [-9.0, 0.0])}
    replies = [
        Reply(client, 1, {"a": torch.tensor(a), "b": torch.tensor(b)}, 1)
        for client, (a, b) in ways.items()
    ]
    _, clipped, refused = clip_updates(ClipConfig(), Broadcast(1, start), replies)
    assert [one.client for one in clipped] == ["x"] and not refused


@pytest.mark.parametrize(("seen_by", "most"), [(1, 1.0), (2, 3.0), (3, 3.0)])
def test_two_witnesses_are_enough_for_a_row(seen_by: int, most: float) -> None:
    """Row 4 goes far; how far it may depends on how many saw it."""
    usual = {0: (1.0, 5), 1: (1.0, 5)}
    replies = [silo(c, usual | ({4: (1.0, 1)} if n < seen_by else {})) for n, c in enumerate("abc")]
    replies[0] = silo("a", usual | {4: (50.0, 1)})
    assert float(clip(*replies)[1][0][4]) == pytest.approx(most)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_to_compare_have_a_limit_of_their_own(count: int) -> None:
    replies = [moved(str(i), 10.0**i * 50) for i in range(count)]
    kept, clipped, _ = clip_updates(ClipConfig(few=60.0), Broadcast(1, START), replies)
    assert kept[0] is replies[0]
    assert len(clipped) == count - 1
    assert float(kept[-1].weights["a"].norm()) <= 60.0 + 1e-4


def test_where_most_did_not_move_nobody_is_held_to_zero() -> None:
    replies = [moved("a", 0.0), moved("b", 0.0), moved("c", 5.0)]
    kept, clipped, _ = clip_updates(ClipConfig(), Broadcast(1, START), replies)
    assert kept == replies and not clipped


@pytest.mark.parametrize(
    ("dtype", "huge"),
    [(torch.float16, 6e4), (torch.bfloat16, 3e38), (torch.float32, 3e38), (torch.float64, 1.7e308)],
)
def test_the_longest_update_there_is_stays_finite(dtype: torch.dtype, huge: float) -> None:
    start = {"a": torch.full((4,), -huge, dtype=dtype)}
    replies = [Reply(c, 1, {"a": start["a"].clone()}, 1) for c in "abc"]
    wild = Reply("w", 1, {"a": torch.full((4,), huge, dtype=dtype)}, 1)
    kept, clipped, _ = clip_updates(ClipConfig(), Broadcast(1, start), [*replies, wild])
    assert [one.client for one in clipped] == ["w"]
    assert kept[-1].weights["a"].dtype == dtype
    assert bool(torch.isfinite(kept[-1].weights["a"]).all())


def test_changes_of_control_are_held_to_their_own_median() -> None:
    broadcast = Broadcast(1, START, control={"a": torch.zeros(3)})
    replies = [replace(moved(c, 1.0), control={"a": torch.full((3,), 0.1)}) for c in "abc"]
    replies.append(replace(moved("w", 1.0), control={"a": torch.full((3,), 100.0)}))
    kept, clipped, _ = clip_updates(ClipConfig(), broadcast, replies)
    assert [(one.client, one.rule) for one in clipped] == [("w", "control")]
    torch.testing.assert_close(kept[-1].control["a"], torch.full((3,), 0.3))
    assert kept[-1].weights is replies[-1].weights


TABLE = {"items": torch.zeros(5, 2), "bias": torch.zeros(5)}


def silo(client: str, rows: dict[int, tuple[float, int]]) -> Reply:
    """Moves each row so far, and says how often it saw it."""
    items, bias, seen = torch.zeros(5, 2), torch.zeros(5), torch.zeros(5, dtype=torch.int64)
    for row, (length, count) in rows.items():
        items[row, 0], bias[row], seen[row] = length, length, count
    return Reply(client, 1, {"items": items, "bias": bias}, 1, {"items": seen, "bias": seen})


def clip(*replies: Reply, config: ClipConfig | None = None) -> tuple[list[Reply], list[Tensor]]:
    told = config or ClipConfig()
    kept, _ = clip_rows(told, Broadcast(1, TABLE), replies, frozenset({"items", "bias"}))
    return kept, [one.weights["items"][:, 0] for one in kept]


def test_a_row_moves_at_most_three_usual_ones_and_alone_at_most_one() -> None:
    replies = [
        silo("a", {0: (1.0, 5), 1: (1.0, 5), 2: (2.0, 1)}),
        silo("b", {0: (1.0, 5), 1: (9.0, 5), 3: (0.5, 1)}),
        silo("c", {0: (1.0, 5), 1: (1.0, 5)}),
    ]
    kept, moves = clip(*replies)
    assert moves[0].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0], "row 2 was seen by nobody else"
    assert moves[1].tolist() == [1.0, 3.0, 0.0, 0.5, 0.0]
    assert kept[2] is replies[2]
    assert kept[1].weights["bias"].tolist() == [1.0, 3.0, 0.0, 0.5, 0.0]


def test_who_says_it_saw_all_rows_does_not_set_what_is_usual() -> None:
    liar = silo("w", dict.fromkeys(range(5), (1000.0, 10**6)))
    kept, moves = clip(*(silo(c, {0: (1.0, 2), 1: (1.0, 2)}) for c in "abc"), liar)
    assert moves[3].tolist() == [3.0, 3.0, 1.0, 1.0, 1.0]
    assert kept[3].seen["items"].tolist() == [1000] * 5


def test_rows_without_limits_stay_as_they_are() -> None:
    config = ClipConfig(rows=0, alone=0, counts=0)
    replies = [silo("a", {0: (1.0, 10**6)}), silo("b", {0: (999.0, 1)})]
    kept, _ = clip(*replies, config=config)
    assert [one is other for one, other in zip(kept, replies, strict=True)] == [True, True]
    assert clip() == ([], [])


def test_a_table_that_nobody_saw_is_left_alone() -> None:
    replies = [silo("a", {}), silo("b", {})]
    kept, _ = clip(*replies)
    assert kept == replies
    assert math.isfinite(float(kept[0].weights["items"].sum()))
