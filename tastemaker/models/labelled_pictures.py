"""Pictures in folders, a folder a class → inputs and classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tastemaker.counts import counted
from tastemaker.data.feature_columns import Float32s, in_order
from tastemaker.data.labelled import FEWEST_ROWS, MOST_CLASSES, Labelled, PictureForm
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.errors import BadInput
from tastemaker.models.pictures import square

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""Files that are taken for pictures."""
MOST_BYTES = 2**33
"""Of all inputs together."""


def holds_pictures(folder: Path) -> bool:
    """Whether a folder has folders with pictures in them."""
    return any(True for path in folder.glob("*/*") if _is_picture(path))


def read_pictures(folder: Path, side: int) -> Labelled:
    """Read the pictures of a folder's folders; the name of each is a class.

    Args:
        folder: Holds a folder a class.
        side: Pixels of the square that the middle of each picture is scaled to.

    Raises:
        BadData: With every problem found: pictures that cannot be read, classes that have too few.
    """
    paths = _paths(folder)
    names = in_order([path.parent.name for path in paths])
    problems = _class_problems(folder, names, paths)
    inputs, unread = _read(paths, side)
    if problems or unread:
        raise BadData([*problems, *unread])
    grey = bool((inputs[..., :1] == inputs[..., 1:]).all())
    form = PictureForm(names, side, 1 if grey else 3)
    place = {name: number for number, name in enumerate(names)}
    labels = np.array([place[path.parent.name] for path in paths], np.int64)
    return Labelled(str(folder), _coloured(inputs, form), labels, form)


def read_pictures_alike(folder: Path, form: PictureForm) -> Labelled:
    """Read pictures as others were read: the same size, colours and classes, some perhaps absent.

    Raises:
        BadData: With every problem found, such as a folder that is none of the classes.
    """
    paths = _paths(folder)
    place = {name: number for number, name in enumerate(form.classes)}
    known = ", ".join(map(shown, form.classes[:8]))
    problems = [
        Problem(str(folder), "", None, shown(name), 1, "the folder is none of the classes",
                f"The classes are {known}{' …' if len(form.classes) > 8 else ''}.")
        for name in in_order([path.parent.name for path in paths]) if name not in place
    ]  # fmt: skip
    inputs, unread = _read(paths, form.side)
    if problems or unread:
        raise BadData([*problems, *unread])
    labels = np.array([place[path.parent.name] for path in paths], np.int64)
    return Labelled(str(folder), _coloured(inputs, form), labels, form)


def picture_inputs(paths: Sequence[Path], form: PictureForm) -> Float32s:
    """(N, S, S) grey or (N, S, S, 3) of pictures that need no class.

    Raises:
        BadData: With every picture that cannot be read.
    """
    inputs, unread = _read(paths, form.side)
    if unread:
        raise BadData(unread)
    return _coloured(inputs, form)


def _is_picture(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.parent.name.startswith(".")
    return path.suffix.lower() in ENDINGS and not hidden


def _paths(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.glob("*/*") if _is_picture(path) and path.is_file())
    if not paths:
        what = "The folder has no folders with pictures in them."
        fix = f"Put pictures ({', '.join(ENDINGS)}) into a folder for each class."
        raise BadInput(what, str(folder), fix)
    return paths


def _class_problems(folder: Path, names: Sequence[str], paths: Sequence[Path]) -> list[Problem]:
    if not 2 <= len(names) <= MOST_CLASSES:
        what = f"there are {counted(len(names), 'folder')} with pictures, a folder a class"
        fix = f"Give 2 to {MOST_CLASSES:,} classes."
        return [Problem(str(folder), "", None, "", 1, what, fix)]
    held = [path.parent.name for path in paths]
    return [
        Problem(str(folder / name), "", None, "", held.count(name),
                f"the class has fewer than {FEWEST_ROWS} pictures",
                "It needs one to learn from, one to test by and one for the server: add some.")
        for name in names if held.count(name) < FEWEST_ROWS
    ]  # fmt: skip


def _read(paths: Sequence[Path], side: int) -> tuple[Float32s, list[Problem]]:
    """(N, S, S, 3) from 0 to 1, and what could not be read."""
    needed = len(paths) * 3 * side * side * 4
    if needed > MOST_BYTES:
        what = f"{counted(len(paths), 'picture')} of {side} x {side} take {needed / 2**30:.1f} GiB."
        raise BadInput(what, "--side", f"Scale them to fewer pixels than {side}.")
    inputs = np.zeros((len(paths), side, side, 3), np.float32)
    problems = []
    for row, path in enumerate(paths):
        try:
            inputs[row] = square(path, side, row) / np.float32(255)
        except BadInput as error:
            if "pip install" in error.fix:
                raise
            problems.append(Problem(str(path), "", None, "", 1, error.what, error.fix))
    return inputs, problems


def _coloured(inputs: Float32s, form: PictureForm) -> Float32s:
    """In the colours of the form; grey is their mean, where they differ."""
    if form.channels == 3:
        return inputs
    grey: Float32s = inputs.mean(-1, dtype=np.float32)
    return np.where((inputs == inputs[..., :1]).all(-1), inputs[..., 0], grey)
