import numpy as np
import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.federate.examples import Examples


def ten() -> Examples:
    return Examples(torch.arange(20.0).reshape(10, 2), torch.arange(10) % 3)


def test_an_epoch_has_every_example_once() -> None:
    steps = ten().batches(4, 7)
    found = list(steps.epoch(0))
    assert len(steps) == len(found) == 3
    assert [step.target_count for step in found] == [4, 4, 2]
    rows = np.concatenate([step.rows for step in found if step.rows is not None])
    assert sorted(rows) == list(range(10))
    assert (torch.cat([step.labels for step in found]) == torch.from_numpy(rows % 3)).all()
    assert (torch.cat([step.inputs for step in found])[:, 0] == torch.from_numpy(2 * rows)).all()


def test_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int, skip: int = 0) -> list[int]:
        steps = ten().batches(4, seed).epoch(epoch, skip)
        return [int(row) for step in steps if step.rows is not None for row in step.rows]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1) and order(1, 0) != order(2, 0)
    assert order(1, 0, skip=2) == order(1, 0)[8:]


def test_parts_add_up_to_the_step() -> None:
    (step,) = ten().batches(10, 0).epoch(0)
    parts = [part for rank in range(3) for part in step.parts(rank, 3)]
    assert {part.target_count for part in parts} == {10}
    rows = [int(row) for part in parts if part.rows is not None for row in part.rows]
    assert sorted(rows) == list(range(10))
    assert step.parts(small=True) == [step] and step.to(torch.device("cpu")) is step


def test_a_step_moves_to_another_device() -> None:
    (step,) = ten().batches(10, 0).epoch(0)
    assert step.to(torch.device("meta")).labels.device.type == "meta"


def test_some_and_all_of_them() -> None:
    few = ten().of(np.array([3, 1]))
    assert few.examples == 2 and few.labels.tolist() == [0, 1] and not few.seen()


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [
        (torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64)),
        (torch.zeros(2, 3), torch.zeros(2, 1, dtype=torch.int64)),
        (torch.tensor([[0.0], [float("nan")]]), torch.zeros(2, dtype=torch.int64)),
    ],
)
def test_what_are_no_examples_is_refused(inputs: torch.Tensor, labels: torch.Tensor) -> None:
    with pytest.raises(BadInput):
        Examples(inputs, labels)
