"""A trained model of pictures and texts as a folder that opens like any other."""

from __future__ import annotations

from pathlib import Path

from tastemaker import files
from tastemaker.embed.cafe import CAFe
from tastemaker.models.vlm_vectors import save_reader


def save_model(cafe: CAFe, folder: Path) -> None:
    """Write the model, what adapters learned worked in, its processor, and how vectors are read.

    Raises:
        OutOfResources: If it does not fit on the disk.
    """
    files.make_folder(folder)
    needed = sum(one.nbytes for one in cafe.vision.model.state_dict().values())
    with files.resources(folder, needed):
        cafe.vision.save(folder)
        save_reader(folder, cafe.reader)
    for path in folder.iterdir():
        path.chmod(0o644)
