"""Vectors kept on disk, so that no content is encoded twice by the same encoder.

Whoever turns content into vectors is an `Encode`.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

from tastemaker.artifacts import MANIFEST, SCHEMA, staged, verify
from tastemaker.errors import ArtefactError, BadInput, NumericFault
from tastemaker.files import load_tensors, make_folder, resources, save_tensors
from tastemaker.seams import Encode

Vectors = npt.NDArray[np.float32]

SHARD = 4096
"""Most vectors in a shard, and so the most that is lost when a process is killed."""
_KIND = "vectors"
_FILE = "vectors.safetensors"
_writing = threading.Lock()


@runtime_checkable
class Contents(Protocol):
    """An encoder that knows what its inputs stand for, such as the file that a path names."""

    def content(self, one: Any, row: int) -> bytes:
        """The bytes that decide the vector of input number `row`."""
        ...


class Cached:
    """An encoder that looks its vectors up, and encodes only what was never encoded before.

    A folder may serve many encoders and many processes at once. Every call publishes what it
    encoded as new shards, so no writer can lose another's; one that is damaged is thrown away with
    a warning, and its content encoded again.
    """

    def __init__(self, encode: Encode, folder: str | Path) -> None:
        """Nothing is read or written before the first call.

        Args:
            encode: The encoder. Without a method `content`, its inputs must be str or bytes, and
                are told apart by their own bytes.
            folder: Where vectors go; is made when missing.
        """
        self.encode, self.identity, self.dim = encode, encode.identity, encode.dim
        key = hashlib.sha256(f"{SCHEMA} {encode.identity}".encode()).hexdigest()
        self.folder = Path(folder) / key
        self._rows: dict[bytes, tuple[str, int]] = {}  # sha256 of content -> shard and row
        self._shards: set[str] = set()

    def content(self, one: Any, row: int) -> bytes:
        """The bytes that decide the vector of an input.

        Raises:
            BadInput: If the encoder cannot take it; names the row.
        """
        if isinstance(self.encode, Contents):
            return self.encode.content(one, row)
        if not isinstance(one, str | bytes):
            fix = "Give str or bytes, or an encoder with a method `content(one, row) -> bytes`."
            raise BadInput(f"{one!r:.80} has no content that is known.", f"row {row}", fix)
        return b"b" + one if isinstance(one, bytes) else b"s" + one.encode("utf-8", "surrogatepass")

    def __call__(self, inputs: Sequence[Any]) -> Vectors:
        """(N, D) float32, what the encoder would give; equal contents are encoded once.

        Raises:
            BadInput: If an input cannot be encoded.
            NumericFault: If the encoder gives values that are not finite, or of another shape.
            OutOfResources: If new vectors cannot be written.
        """
        if isinstance(inputs, str | bytes):
            raise BadInput("One input was given for a list of them.", "inputs", "Put it in a list.")
        keys = [hashlib.sha256(self.content(one, row)).digest() for row, one in enumerate(inputs)]
        first = {key: row for row, key in reversed(list(enumerate(keys)))}
        stored = self._stored(set(first))
        missing = sorted(row for key, row in first.items() if key not in stored)
        for start in range(0, len(missing), SHARD):
            rows = missing[start : start + SHARD]
            vectors = self._checked(self.encode([inputs[row] for row in rows]), len(rows))
            new = [keys[row] for row in rows]
            self._publish(new, vectors)
            stored |= dict(zip(new, vectors, strict=True))
        out = np.zeros((len(keys), self.dim), np.float32)
        for row, key in enumerate(keys):
            out[row] = stored[key]
        return out

    def _stored(self, wanted: set[bytes]) -> dict[bytes, Vectors]:
        """Vectors that are on disk, after a look at shards that are new there."""
        for path in sorted(self.folder.glob(f"*/{MANIFEST}")):
            name = path.parent.name
            if name not in self._shards and not name.startswith("."):
                self._learn(name)
        by_shard: dict[str, list[bytes]] = {}
        for key in wanted & self._rows.keys():
            by_shard.setdefault(self._rows[key][0], []).append(key)
        stored: dict[bytes, Vectors] = {}
        for name, keys in by_shard.items():
            tensors = self._read(name)
            if tensors is not None:
                vectors = tensors["vectors"].numpy()
                stored |= {key: vectors[self._rows[key][1]].copy() for key in keys}
        return stored

    def _learn(self, name: str) -> None:
        """Note which contents a shard holds, after a check of its sums."""
        tensors = self._read(name, check=True)
        if tensors is not None:
            stored = tensors["keys"].numpy()
            self._rows |= {key.tobytes(): (name, row) for row, key in enumerate(stored)}
            self._shards.add(name)

    def _read(self, name: str, check: bool = False) -> dict[str, torch.Tensor] | None:
        """Tensors of a shard, or None with a warning when it was damaged, and is now gone."""
        path = self.folder / name
        try:
            if check:
                verify(path, _KIND)
            tensors = load_tensors(path / _FILE)
            shapes = {part: tuple(tensor.shape) for part, tensor in tensors.items()}
            count = shapes.get("keys", (0,))[0]
            want = {"keys": (count, 32), "vectors": (count, self.dim)}
            if shapes != want:
                what, fix = "Shard has another shape", "Remove it."
                raise ArtefactError(str(path), what, str(want), str(shapes), fix)
            return tensors
        except ArtefactError as error:
            with resources(path, 0), _writing:
                shutil.rmtree(path, ignore_errors=not path.exists())
            self._shards.discard(name)
            self._rows = {key: row for key, row in self._rows.items() if row[0] != name}
            message = f"A shard of vectors is made again. {error.what} Where: {error.where}."
            warnings.warn(message, stacklevel=4)
            return None

    def _publish(self, keys: list[bytes], vectors: Vectors) -> None:
        """Write a shard under the sha256 of what it holds, unless it is there."""
        joined = b"".join(keys)
        name = hashlib.sha256(joined + vectors.tobytes()).hexdigest()
        path, count = self.folder / name, len(keys)
        stored = np.frombuffer(joined, np.uint8).reshape(count, 32)
        tensors = {"keys": torch.tensor(stored), "vectors": torch.tensor(vectors)}
        make_folder(self.folder)
        with _writing:
            try:
                with staged(path, _KIND, {"encoder": self.identity, "count": count}) as partial:
                    save_tensors(partial / _FILE, tensors)
            except (ArtefactError, OSError):
                if not (path / MANIFEST).is_file():  # else another process wrote the same
                    raise
        self._shards.add(name)
        self._rows |= {key: (name, row) for row, key in enumerate(keys)}

    def _checked(self, vectors: Vectors, count: int) -> Vectors:
        """What the encoder gave, if it may be kept."""
        shaped = np.ascontiguousarray(vectors, np.float32)
        if shaped.shape != (count, self.dim) or not np.isfinite(shaped).all():
            what = (
                f"The encoder gave {shaped.shape} for ({count}, {self.dim}), or not finite values."
            )
            raise NumericFault(what, self.identity, "Nothing was kept: mend or change the encoder.")
        return shaped
