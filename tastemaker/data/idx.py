"""Labelled pictures in IDX files, the form of MNIST and Fashion-MNIST, packed by gzip or not.

A file is four bytes (0, 0, the kind of number, how many dimensions), the length of each dimension
as four big-endian bytes, then the numbers. Both sets use bytes; no other kind is read.
"""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.files import refuse_unreadable

Bytes = npt.NDArray[np.uint8]
_BYTE = 0x08
_MOST = 2**32
"""Bytes of one file, unpacked, that are read at most."""
_FIX = "Get the file again: it is damaged, or no IDX file of bytes."


@dataclass(frozen=True, eq=False)
class Pictures:
    """Grey pictures and the class of each."""

    images: Bytes
    """(N, H, W), 0 is black"""
    labels: npt.NDArray[np.int64]
    """(N,)"""


def read_pictures(folder: Path, part: str) -> Pictures:
    """Pictures of one part of a data set, as MNIST names its files.

    Args:
        folder: Holds `PART-images-idx3-ubyte` and `PART-labels-idx1-ubyte`, or the same `.gz`.
        part: `train` or `t10k`.

    Raises:
        BadInput: If a file is missing or damaged, or there are not as many labels as pictures.
    """
    names = ("images-idx3-ubyte", "labels-idx1-ubyte")
    paths = [_present(folder, f"{part}-{name}") for name in names]
    images, labels = (read_idx(path) for path in paths)
    for path, array, axes in zip(paths, (images, labels), (3, 1), strict=True):
        if array.ndim != axes:
            raise BadInput(f"It has {array.ndim} dimensions, not {axes}.", str(path), _FIX)
    if len(images) != len(labels):
        what = f"There are {len(images):,} pictures and {len(labels):,} labels."
        raise BadInput(what, str(paths[1]), "Take both files from one data set.")
    return Pictures(images, labels.astype(np.int64))


def read_idx(path: Path) -> Bytes:
    """The array of bytes that an IDX file holds.

    Raises:
        BadInput: If it is none, or holds more or fewer bytes than it says.
    """
    refuse_unreadable(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            return _array(file, path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"It cannot be unpacked: {error}.", str(path), _FIX) from None


def _array(file: IO[bytes] | gzip.GzipFile, path: Path) -> Bytes:
    head = file.read(4)
    if len(head) < 4 or head[:3] != bytes((0, 0, _BYTE)) or not head[3]:
        raise BadInput(f"It begins with {head.hex(' ') or 'nothing'}.", str(path), _FIX)
    lengths = file.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise BadInput("It ends within its first bytes.", str(path), _FIX)
    shape = tuple(int(n) for n in np.frombuffer(lengths, ">u4"))
    many = math.prod(shape)
    if many > _MOST:
        raise BadInput(f"It says that it holds {many:,} bytes.", str(path), _FIX)
    raw = file.read(many + 1)
    if len(raw) != many:
        held = "more" if len(raw) > many else f"{len(raw):,}"
        raise BadInput(f"It says that it holds {many:,} bytes and holds {held}.", str(path), _FIX)
    return np.frombuffer(raw, np.uint8).reshape(shape)


def _present(folder: Path, name: str) -> Path:
    path = next((p for p in (folder / f"{name}.gz", folder / name) if p.is_file()), None)
    if path is None:
        fix = "Name the folder that holds the files of the data set."
        raise BadInput(f"It holds neither {name} nor {name}.gz.", str(folder), fix)
    return path
