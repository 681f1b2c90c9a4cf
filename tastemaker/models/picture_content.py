"""What the pictures of a catalogue say of its items, as vectors, by a model that is here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tastemaker.data.catalog import Catalog
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.errors import BadInput
from tastemaker.files import read_json
from tastemaker.models.cached import Cached
from tastemaker.models.images import ImageEncoder
from tastemaker.models.packaged import cache_folder, locate, within_run
from tastemaker.models.pictures import read_picture
from tastemaker.seams import Encode

PACKAGED = "efficientnet-lite0"
"""The encoder that is meant by `auto`."""
LISTED = 100
"""Pictures that are named where more cannot be read."""
_FIX = "Mend these, empty their cells, or train with --model.pictures none."


def picture_vectors(name: str, catalog: Catalog) -> tuple[npt.NDArray[np.float32], str]:
    """Vectors of the items' pictures, and what decides them.

    Args:
        name: What makes them, as `picture_encoder` takes it; `none`: nothing does; `auto`: the
            packaged encoder where the catalogue names pictures.
        catalog: n rows.

    Returns:
        (n, d) rows of length one, or zero where an item has no picture; and the hex sha256 of the
        encoder. Without any, d is 0 and the identity empty.

    Raises:
        BadData: With every picture that is missing or cannot be read.
        BadInput: If an encoder is named and no item has a picture, or it is not on this machine.
    """
    paths = catalog.pictures()
    named = {row: path for row, path in enumerate(paths) if path is not None}
    rows = [*named]
    if name == "none" or (name == "auto" and not rows):
        return np.zeros((len(paths), 0), np.float32), ""
    if not rows:
        fix = "Name files in a column `image`, or train with --model.pictures none."
        what = f"No item has a picture for the encoder {name!r} to look at."
        raise BadInput(what, "the items table, column image", fix)
    encode = Cached(picture_encoder(name), cache_folder() / "vectors")
    try:
        made = encode([*named.values()])
    except BadInput:
        _refuse_unreadable([str(catalog.frame["item_id"][row]) for row in rows], [*named.values()])
        raise
    vectors = np.zeros((len(paths), encode.dim), np.float32)
    vectors[rows] = made
    return vectors, encode.identity


def picture_encoder(name: str | Path, device: str = "cpu") -> Encode:
    """What makes vectors of pictures, given their paths.

    Args:
        name: A run of `tastemaker embed train`, a packaged encoder of pictures, or a folder that
            holds such an encoder or a vision-language model; `auto`: the packaged one.
        device: Where torch computes.

    Raises:
        BadInput: If it is not on this machine, or is a model of another kind.
        ArtefactError: If it is damaged.
    """
    name = PACKAGED if name == "auto" else name
    kind = read_json(locate(within_run(str(name))) / "config.json").get("model_type")
    if kind == PACKAGED:
        return ImageEncoder(name, device=device)
    from tastemaker.models.vlm_vectors import PictureTextEncoder  # opens transformers

    return PictureTextEncoder(name, device=device)


def _refuse_unreadable(items: Sequence[str], paths: Sequence[Path]) -> None:
    """Say of all pictures which cannot be read.

    Raises:
        BadData: If one of them cannot.
    """
    bad: list[tuple[str, str, str]] = []
    for item, path in zip(items, paths, strict=True):
        try:
            read_picture(path)
        except BadInput as error:
            what = error.what.rstrip(".") if path.is_file() else "there is no such file"
            bad.append((item, str(path), what))
    problems = [
        Problem(
            "the items table", "image", None, shown(path), 1, f"item {item!r:.80}: {what}", _FIX
        )
        for item, path, what in bad[:LISTED]
    ]
    if len(bad) > LISTED:
        what = f"{len(bad) - LISTED:,} more pictures cannot be read"
        problems.append(Problem("the items table", "image", None, "", 1, what, _FIX))
    if problems:
        raise BadData(problems)
