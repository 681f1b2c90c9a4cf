"""Configuration: frozen dataclasses that go to JSON and back without guessing.

Reading is strict (reliability §3.6): an unknown key is an error that names the nearest valid one,
a value of another type is an error, and a string is only ever a string.
"""

from __future__ import annotations

import difflib
import random
import subprocess
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from tastemaker.errors import BadInput

C = TypeVar("C")

RECORDED = ("tastemaker", "torch", "accelerate", "numpy", "polars", "scipy", "safetensors")
"""Libraries whose versions are written beside every result."""


def to_json(config: Any) -> dict[str, Any]:
    """A config dataclass as JSON values."""
    values: dict[str, Any] = asdict(config)
    return values


def from_json(kind: type[C], values: Mapping[str, Any], source: str) -> C:
    """Build a config dataclass from JSON values.

    Args:
        kind: The dataclass.
        values: A JSON object.
        source: File or option it came from, for messages.

    Raises:
        BadInput: On an unknown key, a missing key or a value of the wrong type.
    """
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
            raise BadInput(f"Unknown option {key!r} = {values[key]!r}.", source, hint)
    ready = {key: _read(hints[key], value, f"{source}: {key}") for key, value in values.items()}
    try:
        return kind(**ready)
    except TypeError as error:
        raise BadInput(f"An option is missing: {error}.", source, "Add it.") from None


def _read(kind: Any, value: Any, source: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        return from_json(kind, value, source)
    if origin in (Union, types.UnionType):
        return _read_union(args, value, source)
    if origin is Literal:
        if value in args and type(value) in map(type, args):
            return value
    elif origin is tuple and isinstance(value, list | tuple):
        kinds = [args[0]] * len(value) if args[1:] == (...,) else list(args)
        if len(kinds) == len(value):
            pairs = zip(kinds, value, strict=True)
            return tuple(_read(k, v, f"{source}[{i}]") for i, (k, v) in enumerate(pairs))
    elif origin is dict and isinstance(value, Mapping):
        return {str(key): _read(args[1], item, f"{source}.{key}") for key, item in value.items()}
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif isinstance(kind, type) and type(value) is kind:
        return value
    raise BadInput(f"{value!r} is not {_name(kind)}.", source, f"Give {_name(kind)}.")


def _read_union(kinds: tuple[Any, ...], value: Any, source: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    others = [k for k in kinds if k is not type(None)]
    for kind in others[:-1]:
        try:
            return _read(kind, value, source)
        except BadInput:
            continue
    return _read(others[-1], value, source)


def _name(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    plain = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return plain.get(kind, str(getattr(kind, "__name__", kind)))


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy's legacy generator (for libraries) and torch."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries may read it
    torch.manual_seed(seed)


def environment() -> dict[str, Any]:
    """Library versions and, in a checkout, the commit: written beside every result."""
    versions = {}
    for name in RECORDED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {"versions": versions, "commit": commit()}


def commit() -> str:
    """Commit of this checkout, with `+dirty` where files were changed; `none` outside one."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "none"

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    head = git("rev-parse", "--short=12", "HEAD")
    return (head or "none") + ("+dirty" if git("status", "--porcelain") else "")
