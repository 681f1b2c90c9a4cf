"""Weights of a module, read from a file only if they are what the module has.

The header of a safetensors file says the name, shape and type of every tensor, so a file that does
not fit is refused before any of its tensors is read, or a module of its sizes is built.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

from tastemaker.counts import counted
from tastemaker.errors import ArtefactError

M = TypeVar("M", bound=nn.Module)

WEIGHTS = "model.safetensors"
"""File of a trained model's weights."""
_FIX = "Restore the folder from a copy, or make it again."
_TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


class Stored(NamedTuple):
    """Shape and type of a tensor."""

    shape: tuple[int, ...]
    dtype: torch.dtype | str
    """a type that torch has, or the name of one that is not read here"""

    def __str__(self) -> str:
        """Such as `(3, 4) float32`."""
        return f"{self.shape} {str(self.dtype).removeprefix('torch.')}"

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


def stored_tensors(path: Path) -> dict[str, Stored]:
    """Names, shapes and types of a safetensors file, from its header alone.

    Raises:
        ArtefactError: If it is missing or no safetensors file.
    """
    with _opened(path) as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        kinds = {
            name: _TYPES.get(tensor.get_dtype(), tensor.get_dtype())
            for name, tensor in slices.items()
        }
        return {
            name: Stored(tuple(tensor.get_shape()), kinds[name]) for name, tensor in slices.items()
        }


def expected_of(module: nn.Module) -> dict[str, Stored]:
    """What a file of a module's weights holds; the module may be on torch's `meta` device."""
    state: dict[str, Tensor] = module.state_dict()
    return {name: Stored(tuple(tensor.shape), tensor.dtype) for name, tensor in state.items()}


def checked_tensors(
    path: Path, expected: Mapping[str, Stored], ignored: str = "\0"
) -> dict[str, Tensor]:
    """The expected tensors of a file; nothing is read before all of the header was compared.

    Args:
        path: A safetensors file.
        expected: Name → shape and type.
        ignored: Tensors whose name begins so are allowed, and not read.

    Raises:
        ArtefactError: On the first tensor that is missing, unexpected, of another shape or type, or
            holds a value that is not finite.
    """
    stored = {n: s for n, s in stored_tensors(path).items() if not n.startswith(ignored)}
    for name in sorted(expected.keys() | stored.keys()):
        want, got = (str(side.get(name, "no such tensor")) for side in (expected, stored))
        if want != got:
            fix = "Use the data and options the model was trained with."
            raise ArtefactError(str(path), f"Tensor {name} does not fit", want, got, fix)
    with _opened(path) as file:
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in expected}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            what, got = f"Tensor {name} is damaged", "NaN or infinity"
            raise ArtefactError(str(path), what, "finite values", got, _FIX)
    return tensors


def filled(build: Callable[[], M], path: Path, layers: int, ignored: str = "\0") -> M:
    """A module with the weights of a file; sizes are compared before anything is allocated.

    Args:
        build: Makes the module.
        path: A safetensors file.
        layers: Number of its layers, each of which has tensors.
        ignored: As for `checked_tensors`.

    Raises:
        ArtefactError: If the file is of another module, or damaged.
    """
    stored = stored_tensors(path)
    if layers > len(stored):
        got, want = counted(len(stored), "tensor"), counted(layers, "layer")
        raise ArtefactError(str(path), "Weights are of another model", want, got, _FIX)
    with torch.device("meta"), _Undrawn():
        expected = expected_of(build())
    tensors = checked_tensors(path, expected, ignored)
    module = build()
    module.load_state_dict(tensors)
    return module


class _Undrawn(TorchFunctionMode):
    """While inside, fresh weights are not drawn.

    On the `meta` device there is nothing to draw, yet torch would load its compiler for it: more
    than a second of processor time.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function, unless it draws: then its tensor stays as it is."""
        given = kwargs or {}
        if func in _DRAWS:
            return args[0] if args else given["tensor"]
        return func(*args, **given)


_DRAWS = (Tensor.normal_, Tensor.uniform_, init.normal_, init.uniform_, init.kaiming_uniform_)


def _opened(path: Path) -> safe_open:
    try:
        return safe_open(path, framework="pt")
    except FileNotFoundError:
        raise ArtefactError(str(path), "File is missing", "a file", "nothing", _FIX) from None
    except (SafetensorError, OSError) as error:
        what, want = "File cannot be read", "safetensors"
        raise ArtefactError(str(path), what, want, str(error), _FIX) from None
