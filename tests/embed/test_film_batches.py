"""Steps of films: every row once an epoch, the same for the same number, parts that add up."""

import numpy as np
import torch

from tastemaker.embed.film_batches import FilmSteps

STEPS = FilmSteps(
    lambda rows: torch.from_numpy(rows)[:, None].float(),
    torch.arange(20).reshape(10, 2),
    torch.arange(10),
    4,
    seed=3,
)


def test_every_row_comes_once_an_epoch_in_an_order_of_its_number() -> None:
    epochs = [[step.labels.tolist() for step in STEPS.epoch(number)] for number in (0, 0, 1)]
    assert epochs[0] == epochs[1] != epochs[2]
    assert sorted(sum(epochs[0], [])) == list(range(10)) and len(epochs[0]) == len(STEPS) == 3
    assert [s.labels.tolist() for s in STEPS.epoch(0, 1)] == epochs[0][1:]
    assert sum((s.labels.tolist() for s in STEPS.in_order()), []) == list(range(10))


def test_rows_stay_together_and_parts_are_of_the_whole() -> None:
    step = next(STEPS.epoch(0))
    assert step.rows is not None
    assert step.inputs[:, 0].tolist() == step.labels.tolist() == step.rows.tolist()
    assert step.words[:, 0].tolist() == [2 * row for row in step.rows]
    assert step.parts() == [step] and step.to(torch.device("cpu")) is step
    halves = [step.parts(rank, 2)[0] for rank in (0, 1)]
    assert sorted(np.concatenate([half.rows for half in halves]).tolist()) == sorted(step.rows)
    assert [half.target_count for half in halves] == [4, 4]
    assert step.to(torch.device("meta")).inputs.is_meta
