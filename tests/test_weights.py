"""A file of weights is refused by its header: nothing of a wrong file is read or allocated."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tastemaker.errors import ArtefactError
from tastemaker.weights import Stored, checked_tensors, expected_of, filled, stored_tensors


@pytest.fixture
def layer(tmp_path: Path) -> tuple[nn.Linear, Path]:
    module = nn.Linear(3, 4)
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    return module, tmp_path / "w.safetensors"


def test_what_fits_is_read(layer: tuple[nn.Linear, Path]) -> None:
    module, path = layer
    tensors = checked_tensors(path, expected_of(module))
    assert all(torch.equal(tensors[name], value) for name, value in module.state_dict().items())
    assert stored_tensors(path)["weight"] == Stored((4, 3), torch.float32)


@pytest.mark.parametrize(
    "change",
    [
        {"weight": torch.zeros(4, 3, dtype=torch.int8)},
        {"weight": torch.zeros(4, 3, dtype=torch.float64)},
        {"weight": torch.zeros(3, 4)},
        {"weight": torch.full((4, 3), float("nan"))},
        {"bias": torch.tensor([0.0, 0.0, float("inf"), 0.0])},
        {"more": torch.zeros(1)},
        {"weight": None},
    ],
    ids=str,
)
def test_what_does_not_fit_names_its_tensor(
    layer: tuple[nn.Linear, Path], change: dict[str, torch.Tensor | None]
) -> None:
    module, path = layer
    state = {**module.state_dict(), **change}
    save_file({name: value for name, value in state.items() if value is not None}, path)
    with pytest.raises(ArtefactError, match=next(iter(change))) as caught:
        checked_tensors(path, expected_of(module))
    assert caught.value.file == str(path)


def test_sizes_are_compared_before_anything_is_allocated(layer: tuple[nn.Linear, Path]) -> None:
    with torch.device("meta"):
        vast = nn.Linear(10**9, 10**9)
    with pytest.raises(ArtefactError, match="does not fit"):
        checked_tensors(layer[1], expected_of(vast))


def test_opening_loads_no_compiler(tmp_path: Path) -> None:
    save_file(nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 2)).state_dict(), tmp_path / "w")
    code = (
        "import sys; from pathlib import Path; from torch import nn\n"
        "from tastemaker.weights import filled\n"
        "made = filled(lambda: nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 2)),"
        f" Path({str(tmp_path / 'w')!r}), 2)\n"
        "assert made[0].weight.abs().sum() > 0 and 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_ignored_may_be_there(layer: tuple[nn.Linear, Path]) -> None:
    module, path = layer
    save_file(module.state_dict() | {"other.x": torch.full((2,), float("nan"))}, path)
    assert checked_tensors(path, expected_of(module), ignored="other.").keys() == {"weight", "bias"}


def test_files_that_are_none(layer: tuple[nn.Linear, Path], tmp_path: Path) -> None:
    header = json.dumps({"weight": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4]}})
    torn = struct.pack("<Q", len(header)) + header.encode() + b"\0" * 4
    for raw in (b"", b"x" * 100, layer[1].read_bytes()[:-1], torn):
        (tmp_path / "torn").write_bytes(raw)
        with pytest.raises(ArtefactError, match="cannot be read"):
            stored_tensors(tmp_path / "torn")
    with pytest.raises(ArtefactError, match="missing"):
        stored_tensors(tmp_path / "none")


def test_a_module_is_filled_only_from_weights_that_are_its_own(tmp_path: Path) -> None:
    path, module = tmp_path / "weights.safetensors", nn.Linear(2, 3)
    save_file(module.state_dict(), path)
    made: list[str] = []

    def build(wide: int = 2) -> nn.Module:
        fresh = nn.Linear(wide, 3)
        made.append(fresh.weight.device.type)
        return fresh

    same = filled(build, path, layers=1)
    assert torch.equal(same.state_dict()["weight"], module.weight)
    assert made == ["meta", "cpu"]
    with pytest.raises(ArtefactError, match="of another model"):
        filled(build, path, layers=3)
    with pytest.raises(ArtefactError, match="weight does not fit"):
        filled(lambda: build(4), path, layers=1)
    assert made == ["meta", "cpu", "meta"]  # what does not fit is never allocated
