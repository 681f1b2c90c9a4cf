"""The tensors of saved counting models, checked before anything is computed from them.

A run may come from anywhere, with a manifest that fits whatever its files hold. Compiled code
trusts the bounds of a sparse matrix, so one wrong column would read foreign memory; and one count
that is not a number would spoil every rank. So each part is read with what must be true of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker import files
from tastemaker.errors import ArtefactError

Array = npt.NDArray[Any]

GREATEST = 1e12
"""Greatest count or weight; sums of millions of such still fit float32."""
RANGES: Mapping[str, tuple[float, float]] = {
    "reach": (1, 1e9),
    "decay": (0, 1),
    "prior": (0, 1e9),
    "window": (1, 1e9),
    "neighbours": (1, 1e9),
    "regulariser": (1e-3, 1e9),
}
"""What each setting of a counting model may be."""
_INTEGERS = (np.dtype(np.int32), np.dtype(np.int64))


@dataclass(frozen=True)
class Saved:
    """Parts of one saved model, for a catalogue of I items; reading one checks it."""

    parts: Mapping[str, Array]
    """name → array"""
    num_items: int
    """I"""
    file: str = "counting.safetensors"
    """where they were read, for messages"""
    model: str = ""
    """name of the model, for messages"""

    def floats(
        self,
        name: str,
        shape: tuple[int, ...],
        kind: type[np.floating[Any]],
        within: tuple[float, float] = (0, GREATEST),
    ) -> Array:
        """Numbers of one type and shape from one bound to another.

        Raises:
            ArtefactError: If the part is missing, has another type or shape, or holds other values.
        """
        return self._within(name, self._part(name, (np.dtype(kind),), shape), *within)

    def flags(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        """Booleans.

        Raises:
            ArtefactError: If the part is missing or has another type or shape.
        """
        return self._part(name, (np.dtype(bool),), shape)

    def number(self, name: str, knob: str) -> float:
        """One setting, within its range.

        Raises:
            ArtefactError: If the part is missing, is not one float64, or is out of range.
        """
        values = self._part(name, (np.dtype(np.float64),), (1,))
        return float(self._within(name, values, *RANGES[knob])[0])

    def rows(self, columns: int) -> tuple[Array, Array]:
        """Column numbers and row bounds of a matrix in compressed rows.

        Raises:
            ArtefactError: If a column is outside the matrix or the bounds are in disorder.
        """
        indices = self._part("indices", _INTEGERS, None)
        bounds = self._part("indptr", _INTEGERS, None)
        self._within("indices", indices, 0, columns - 1)
        last = int(bounds[-1]) if len(bounds) else -1
        if last != len(indices) or bounds[0] != 0 or (bounds[1:] < bounds[:-1]).any():
            holds = f"{len(bounds):,} bounds in disorder or up to {last:,}"
            raise self.fault("indptr", f"bounds that rise from 0 to {len(indices):,}", holds)
        return indices, bounds

    def square(self) -> sp.csr_array:
        """(I, I) float64 weights of at least 0, in compressed rows.

        Raises:
            ArtefactError: If the parts are no such matrix.
        """
        size = self.num_items
        indices, bounds = self.rows(size)
        if len(bounds) != size + 1:
            raise self.fault("indptr", f"{size + 1:,} bounds", f"{len(bounds):,}")
        data = self.floats("data", indices.shape, np.float64)
        return sp.csr_array((data, indices, bounds), (size, size))

    def _part(
        self, name: str, kinds: tuple[np.dtype[Any], ...], shape: tuple[int, ...] | None
    ) -> Array:
        """One part of a given type and shape; None: of any length."""
        wanted = " or ".join(kind.name for kind in kinds)
        if name not in self.parts:
            raise self.fault(name, f"{wanted} values, as this version writes them", "nothing")
        values = self.parts[name]
        if values.dtype not in kinds:
            raise self.fault(name, f"{wanted} values", values.dtype.name)
        if values.ndim != 1 if shape is None else values.shape != shape:
            raise self.fault(name, f"shape {shape or '(any length,)'}", f"{values.shape}")
        return values

    def _within(self, name: str, values: Array, low: float, high: float) -> Array:
        """The values, if all are from `low` to `high`; not-a-number is neither."""
        if values.size:
            least, most = values.min(), values.max()
            if not (least >= low and most <= high):
                raise self.fault(name, f"values from {low:g} to {high:g}", f"{least} to {most}")
        return values

    def fault(self, name: str, expected: str, holds: str) -> ArtefactError:
        """The error about one part."""
        part = "/".join(word for word in (self.model, name) if word)
        fix = "Make the run again with this version, or take it from a source you trust."
        return ArtefactError(self.file, f"{part} cannot be used", expected, holds, fix)


def read_saved(path: Path, num_items: int) -> dict[str, Saved]:
    """Model → its parts, from a file whose tensors are named `model/part`; and `candidates`.

    Raises:
        ArtefactError: If it is no safetensors file or holds types that no model saves.
    """
    found: dict[str, dict[str, Array]] = {"candidates": {}}
    for key, tensor in files.load_tensors(path).items():
        model, _, part = key.partition("/")
        try:
            found.setdefault(model, {})[part] = tensor.numpy()
        except TypeError:  # such as bfloat16, which numpy does not know
            raise Saved({}, num_items, str(path), model).fault(
                part, "numbers or flags", str(tensor.dtype)
            ) from None
    return {name: Saved(parts, num_items, str(path), name) for name, parts in found.items()}
