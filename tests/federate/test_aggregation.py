"""A round's mean by hand, to the bit, in any order; and rows by those who saw them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.federate.aggregation import average, distance, next_control, shares
from tastemaker.seams import Reply

COUNTS = st.lists(st.integers(1, 10_000), min_size=1, max_size=12)


def reply(client: str, value: object, examples: int, seen: list[int] | None = None) -> Reply:
    rows = {} if seen is None else {"w": torch.tensor(seen)}
    weights = value if isinstance(value, Tensor) else torch.tensor(value)
    return Reply(client, 1, {"w": weights}, examples, rows)


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_mean_by_hand() -> None:
    found = average(
        {"w": torch.zeros(2)}, [reply("a", [1.0, 2.0], 10), reply("b", [5.0, -2.0], 30)]
    )
    assert found["w"].tolist() == [4.0, -1.0]


def test_what_was_before_does_not_matter_to_those_who_replied() -> None:
    replies = [reply("a", random(1, 5), 3), reply("b", random(2, 5), 4)]
    first, second = (
        average({"w": before}, replies)["w"] for before in (random(0, 5), random(9, 5))
    )
    assert torch.equal(first, second)


@given(COUNTS)
@settings(max_examples=60, deadline=None)
def test_shares_sum_to_one(examples: list[int]) -> None:
    found = shares([reply(str(client), 0.0, count) for client, count in enumerate(examples)])
    assert math.fsum(found) == pytest.approx(1, abs=1e-12) and min(found) > 0


@given(COUNTS, st.randoms(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_order_changes_no_bit(examples: list[int], shuffler, seed: int) -> None:  # type: ignore[no-untyped-def]
    replies = [
        reply(f"client {client}", random(seed + client, 4, 3), count, [client % 3, 0, 1, count])
        for client, count in enumerate(examples)
    ]
    other = list(replies)
    shuffler.shuffle(other)
    for by_row in (frozenset[str](), frozenset({"w"})):
        first, second = (average({"w": torch.zeros(4, 3)}, own, by_row) for own in (replies, other))
        assert torch.equal(first["w"], second["w"])


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
@given(COUNTS, st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_equal_clients_leave_every_bit(kind: torch.dtype, examples: list[int], seed: int) -> None:
    same = (random(seed, 6, 2) * 10.0 ** random(seed + 1, 6, 2)).to(kind)
    replies = [reply(str(one), same, n, [n] * 6) for one, n in enumerate(examples)]
    for by_row in (frozenset[str](), frozenset({"w"})):
        found = average({"w": torch.zeros(6, 2, dtype=kind)}, replies, by_row)["w"]
        assert found.dtype == kind and torch.equal(found, same)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_one_client_is_taken_as_it_is(kind: torch.dtype) -> None:
    """Also where its weights are far smaller than those before."""
    own = 1e-12 * random(0, 100).to(kind)
    assert torch.equal(average({"w": torch.ones(100, dtype=kind)}, [reply("a", own, 7)])["w"], own)


def test_nobody_leaves_the_weights_as_they_are() -> None:
    before = {"w": random(0, 3)}
    found = average(before, [])
    assert torch.equal(found["w"], before["w"]) and found["w"] is not before["w"]


@pytest.mark.parametrize(
    ("few", "many"),
    [(torch.tensor(7), torch.tensor(100)), (torch.tensor([True]), torch.tensor([False]))],
)
def test_counters_and_flags_are_those_of_the_most_examples(few: Tensor, many: Tensor) -> None:
    found = average({"w": few}, [reply("a", few, 3), reply("b", many, 5)])["w"]
    assert torch.equal(found, many) and found.dtype == many.dtype
    tied = average({"w": few}, [reply("b", many, 5), reply("a", few, 5)])["w"]
    assert torch.equal(tied, few)


def test_a_mean_is_not_of_memory_that_is_used_again() -> None:
    """A client's tensors may be those of a model that trains on."""
    own = random(0, 3)
    found = average({"w": torch.zeros(3)}, [reply("a", own, 7)])["w"]
    before = found.clone()
    own += 1
    assert torch.equal(found, before)


def test_rows_by_hand() -> None:
    """Row 0 is seen by one, row 1 by both, row 2 by nobody."""
    before = torch.tensor([[1.0, 1], [2, 2], [3, 3]])
    found = average(
        {"w": before},
        [
            reply("a", before + 4, 100, [5, 1, 0]),
            reply("b", before + torch.tensor([8.0, -8]), 50, [0, 3, 0]),
        ],
        frozenset({"w"}),
    )["w"]
    assert found.tolist() == [[5.0, 5], [2 + (4 + 24) / 4, 2 + (4 - 24) / 4], [3, 3]]


def test_a_row_counts_at_most_as_often_as_there_are_examples() -> None:
    before = torch.zeros(1, 1)
    found = average(
        {"w": before}, [reply("a", [[1.0]], 30, [10**15]), reply("b", [[5.0]], 10, [10]),
                        reply("c", [[99.0]], 10, [-7])], frozenset({"w"})
    )["w"]  # fmt: skip
    assert found.tolist() == [[2.0]]


def test_who_says_of_no_row_that_it_saw_it_moves_none() -> None:
    before = random(0, 2, 2)
    found = average({"w": before}, [reply("a", before + 1, 30)], frozenset({"w"}))["w"]
    assert torch.equal(found, before)


def test_a_table_of_one_column_is_averaged_by_row_too() -> None:
    found = average({"w": torch.zeros(2)}, [reply("a", [2.0, 2], 9, [1, 0])], frozenset({"w"}))
    assert found["w"].tolist() == [2.0, 0.0]


def test_a_control_moves_by_changes_over_all_clients() -> None:
    change = [
        Reply(client, 1, {}, 10, control={"w": torch.tensor([value])})
        for client, value in (("b", 8.0), ("a", 4.0))
    ]
    first = next_control({}, change, 6)
    assert first["w"].tolist() == [2.0] and first["w"].dtype == torch.float32
    assert next_control(first, change[:1], 8)["w"].tolist() == [3.0]
    assert next_control(first, [], 8)["w"].tolist() == [2.0]


def test_distance_by_hand() -> None:
    before = {"a": torch.tensor([1.0, 2]), "b": torch.zeros(1), "steps": torch.tensor(1)}
    after = {"a": torch.tensor([4.0, 2]), "b": torch.tensor([4.0]), "steps": torch.tensor(9)}
    assert distance(after, before) == 5.0


def test_a_counter_is_not_of_memory_that_is_used_again() -> None:
    own = torch.tensor([7])
    found = average({"w": torch.tensor([0])}, [reply("a", own, 7)])["w"]
    own += 1
    assert found.tolist() == [7]


def test_a_row_that_nobody_saw_stays_to_the_bit_beside_rows_that_were() -> None:
    """Whatever a client sends of it, and though it is no number that a mean would give back."""
    before = random(0, 3, 2).to(torch.bfloat16)
    sent = [reply(c, torch.full_like(before, 9.0), 5, [2, 0, 1]) for c in "ab"]
    found = average({"w": before}, sent, frozenset({"w"}))["w"]
    assert torch.equal(found[1], before[1]) and found[[0, 2]].tolist() == [[9.0, 9.0]] * 2


def test_the_order_of_changes_of_control_changes_no_bit() -> None:
    """Sums of these three differ with their order, in float64 too."""
    change = [Reply(c, 1, {}, 1, control={"w": torch.tensor([value], dtype=torch.float64)})
              for c, value in (("a", 1e16), ("b", 1.0), ("c", -1e16))]  # fmt: skip
    found = {float(next_control({}, some, 1)["w"]) for some in (change, change[::-1],
             [change[0], change[2], change[1]])}  # fmt: skip
    assert len(found) == 1
