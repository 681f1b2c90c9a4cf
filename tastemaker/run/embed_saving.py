"""A trained model of pictures and texts as a folder that opens like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tastemaker import files
from tastemaker.embed.cafe import CAFe
from tastemaker.models.extras import quiet
from tastemaker.models.lora import merged
from tastemaker.models.vlm_vectors import save_reader


def save_model(cafe: CAFe, folder: Path) -> None:
    """Write the model, what adapters learned worked in, its processor, and how vectors are read.

    Raises:
        OutOfResources: If it does not fit on the disk.
    """
    files.make_folder(folder)
    needed = sum(one.nbytes for one in cafe.vision.model.state_dict().values())
    with files.resources(folder, needed):
        if cafe.config.lora:
            model = cafe.vision.model
            with quiet():
                model.save_pretrained(folder, state_dict=_saved(model))
            cafe.vision.processor.save(folder)
        else:
            cafe.vision.save(folder)
        save_reader(folder, cafe.reader)
    for path in folder.iterdir():
        path.chmod(0o644)


def _saved(model: Any) -> dict[str, Tensor]:
    """Tensors of an adapted model that a model of its kind is saved with."""
    with torch.device("meta"):
        names = type(model)(model.config).state_dict().keys()
    return {name: tensor for name, tensor in merged(model).items() if name in names}
