"""Weight files are safetensors of the folder itself, all of them there."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import save_tensors
from tastemaker.models.shards import weight_sizes


def index(folder: Path, weight_map: Any) -> None:
    text = json.dumps({"weight_map": weight_map})
    (folder / "model.safetensors.index.json").write_text(text)


def test_one_file_or_several(tmp_path: Path) -> None:
    save_tensors(tmp_path / "a.safetensors", {"x": torch.zeros(2, 3)})
    save_tensors(tmp_path / "b.safetensors", {"y": torch.zeros(4)})
    index(tmp_path, {"x": "a.safetensors", "y": "b.safetensors"})
    assert weight_sizes(tmp_path) == {"x": 6, "y": 4}
    save_tensors(tmp_path / "model.safetensors", {"z": torch.zeros(())})
    assert weight_sizes(tmp_path) == {"z": 1}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "x.ckpt"])
def test_formats_that_can_run_code_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BadInput, match=name) as caught:
        weight_sizes(tmp_path)
    assert caught.value.where == str(tmp_path) and "safetensors" in caught.value.fix


@pytest.mark.parametrize(
    "weight_map",
    [{}, None, {"x": "a.bin"}, {"x": "../a.safetensors"}, {"x": "/a.safetensors"}, {"x": ["a"]}],
    ids=str,
)
def test_an_index_names_files_of_its_folder(tmp_path: Path, weight_map: Any) -> None:
    index(tmp_path, weight_map)
    with pytest.raises(BadInput, match="index names"):
        weight_sizes(tmp_path)


def test_files_that_are_missing_or_torn(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="missing"):
        weight_sizes(tmp_path)
    index(tmp_path, {"x": "a.safetensors"})
    with pytest.raises(ArtefactError, match="missing"):
        weight_sizes(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(b"torn")
    with pytest.raises(ArtefactError, match="cannot be read"):
        weight_sizes(tmp_path)


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "/elsewhere"}')
    with pytest.raises(BadInput, match="adapter"):
        weight_sizes(tmp_path)
