"""Which runs a sweep makes, and what one of them is."""

import base64
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tastemaker.embed.video_runs import SweepConfig, cells_of, open_world, run_cell
from tastemaker.errors import BadInput
from tastemaker.worlds.clips import KINDS
from tests.embed.tiny_films import HELD, TINY, TRAIN


def test_forty_cells_are_a_star_and_others() -> None:
    cells = cells_of(SweepConfig())
    assert len(cells) == len(set(cells)) == 40
    centre = (128, 8, 16)
    apart = [
        sum(a != b for a, b in zip(tuple(asdict(c).values())[:3], centre, strict=True))
        for c in cells
    ]
    assert apart[:24] == sorted(apart[:24], key=lambda n: n > 1) and max(apart[:24]) == 1
    assert min(apart[24:]) == 2 and {c.examples for c in cells[:24]} == {500, 2000, 8000}
    assert cells_of(SweepConfig(seed=1))[24:] != cells[24:]


def test_fewer_cells_are_the_first_of_more() -> None:
    every = cells_of(SweepConfig(cells=1000))
    assert len(every) == 3 * 4 * 3 * 3 and len(set(every)) == len(every)
    for count in (1, 5, 24, 60):
        assert cells_of(SweepConfig(cells=count)) == every[:count]


def test_the_largest_configuration_is_the_middle_of_the_star() -> None:
    small = cells_of(SweepConfig((16, 32), (2, 4), (1, 16), (10,), 4))
    sizes = [(cell.width, cell.frames, cell.tokens) for cell in small]
    assert sizes == [(16, 4, 16), (32, 2, 16), (32, 4, 1), (32, 4, 16)]


@pytest.mark.parametrize("bad", [{"cells": 0}, {"widths": ()}, {"seeds": 0}])
def test_a_sweep_of_nothing_is_refused(bad: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        cells_of(SweepConfig(**bad))


def test_a_run_is_measured_and_made_again_alike(tmp_path: Path) -> None:
    world = open_world(TINY, TRAIN, HELD, tmp_path)
    cell = cells_of(TINY)[0]
    line = run_cell(world, cell, 0)
    assert list(line["scores"]) == list(KINDS) and 0 <= line["score"] <= 1
    bits = np.unpackbits(np.frombuffer(base64.b64decode(line["right"]), np.uint8))
    assert bits[: len(world.asked)].mean() == pytest.approx(line["score"])
    x = np.array([line["parameters"], line["frames"], line["tokens"]], float)
    assert line["flops"] == pytest.approx(line["frames"] * world.flops + 2 * x.prod())
    again = open_world(replace(TINY, cells=2), TRAIN, HELD, tmp_path)  # reads the encoder
    assert again.share == world.share and again.flops == world.flops
    other = run_cell(again, cell, 0)
    assert {**other, "cpu_seconds": 0} == {**line, "cpu_seconds": 0}
