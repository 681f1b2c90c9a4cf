from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tastemaker.errors import ArtefactError, NumericFault
from tastemaker.federate.checkpoints import CONTROL, WEIGHTS, Position, RoundCheckpoints

POSITION = Position(
    2, {"w": torch.arange(3.0)}, {"w": torch.ones(3)}, {"previous/w/a": torch.zeros(3)}, 1.5
)


def opened(folder: Path, lr: float = 0.1) -> RoundCheckpoints:
    return RoundCheckpoints(folder, {"options": {"lr": lr}})


def test_a_position_comes_back(tmp_path: Path) -> None:
    assert not opened(tmp_path).begun and opened(tmp_path).load(POSITION) is None
    opened(tmp_path).save(POSITION)
    found = opened(tmp_path).load(Position(0, POSITION.weights, POSITION.control))
    assert found and opened(tmp_path).begun
    assert (found.round, found.cpu_seconds) == (2, 1.5)
    assert torch.equal(found.weights["w"], POSITION.weights["w"])
    assert found.clients.keys() == POSITION.clients.keys()


def test_the_newest_two_stay(tmp_path: Path) -> None:
    for number in (9, 10, 11):
        opened(tmp_path).save(replace(POSITION, round=number))
    names = sorted(path.name for path in (tmp_path / "checkpoints").glob("round-*"))
    assert names == ["round-10", "round-11"]


def test_what_was_left_half_written_goes(tmp_path: Path) -> None:
    checkpoints = opened(tmp_path)
    checkpoints.save(POSITION)
    (tmp_path / "checkpoints" / ".partial-round-3-1").mkdir()
    stray = tmp_path / "checkpoints" / "round-3"
    stray.mkdir()  # a round whose writer was killed before it was named
    assert not (opened(tmp_path).folder / ".partial-round-3-1").exists()
    checkpoints.save(replace(POSITION, round=3))
    found = checkpoints.load(POSITION)
    assert found and found.round == 3


def test_other_options_and_other_tensors_are_refused(tmp_path: Path) -> None:
    opened(tmp_path).save(POSITION)
    with pytest.raises(ArtefactError, match="lr"):
        opened(tmp_path, 0.2).load(POSITION)
    for like in (
        Position(0, {"w": torch.zeros(4)}, POSITION.control),
        Position(0, POSITION.weights, {}),
        Position(0, {"v": torch.zeros(3)}, POSITION.control),
    ):
        with pytest.raises(ArtefactError, match="fit"):
            opened(tmp_path).load(like)


@pytest.mark.parametrize("name", [WEIGHTS, CONTROL])
def test_a_changed_file_is_refused(tmp_path: Path, name: str) -> None:
    opened(tmp_path).save(POSITION)
    path = tmp_path / "checkpoints" / "round-2" / name
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtefactError):
        opened(tmp_path).load(POSITION)


def test_weights_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(NumericFault):
        opened(tmp_path).save(replace(POSITION, weights={"w": torch.tensor([float("nan")])}))
    assert not opened(tmp_path).begun
