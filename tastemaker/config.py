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
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeGuard,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from tastemaker.errors import BadInput
from tastemaker.files import JsonObject

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")

RECORDED = ("tastemaker", "torch", "accelerate", "numpy", "polars", "scipy", "safetensors")
"""Libraries whose versions are written beside every result."""
_LARGEST = 1e300
"""Largest number read; JSON as Python reads it has NaN, infinity and whole numbers without end."""


def to_json(config: DataclassInstance) -> JsonObject:
    """A config dataclass as JSON values.

    Where a field may hold one of several configs, the object there has a `kind` that names which:
    `{"kind": "SASRec", "dim": 64, …}` for a `SASRecConfig`.

    Raises:
        BadInput: If a field holds a config that its type does not name.
    """
    hints = get_type_hints(type(config))
    return {f.name: _write(hints[f.name], getattr(config, f.name)) for f in fields(config)}


def _write(kind: object, value: object) -> object:
    args = get_args(kind)
    if is_dataclass(value) and not isinstance(value, type):
        kinds = _configs(kind)
        if type(value) not in kinds.values():
            what = f"A {type(value).__name__} is not one of {', '.join(kinds)}."
            raise BadInput(what, "options", "Name its type in the field.")
        written = to_json(value)
        if len(kinds) > 1 and "kind" in written:
            raise ValueError(f"{type(value).__name__} has a field `kind`, which names its kind")
        return {"kind": _short(type(value))} | written if len(kinds) > 1 else written
    if isinstance(value, tuple | list | dict):
        kind = next((part for part in (kind, *args) if get_origin(part) in (tuple, dict)), kind)
        args = get_args(kind) or (None, None)
        if isinstance(value, dict):
            return {key: _write(args[1], inner) for key, inner in value.items()}
        several = args if len(args) == len(value) and args[-1] is not ... else args[:1] * len(value)
        return [_write(each, inner) for each, inner in zip(several, value, strict=True)]
    return value


def _configs(kind: object) -> dict[str, type[DataclassInstance]]:
    """Short name → config class, of those that a type names."""
    union = get_origin(kind) in (Union, types.UnionType)
    parts = get_args(kind) if union else (kind,)
    return {_short(part): part for part in parts if is_dataclass(part) and isinstance(part, type)}


def _short(kind: type) -> str:
    return kind.__name__.removesuffix("Config")


def from_json(kind: type[C], values: Mapping[str, object], source: str) -> C:
    """Build a config dataclass from JSON values.

    Args:
        kind: The dataclass.
        values: A JSON object.
        source: File or option it came from, for messages.

    Raises:
        BadInput: On an unknown key, a missing key or a value of the wrong type.
    """
    if not isinstance(values, Mapping):
        raise BadInput(f"{values!r:.80} is not {kind.__name__}.", source, "Give a JSON object.")
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    for key in values:
        if key not in known:
            raise BadInput(
                f"Unknown option {key!r} = {values[key]!r:.80}.", source, _nearest(key, known)
            )
    ready = {key: _read(hints[key], value, f"{source}: {key}") for key, value in values.items()}
    try:
        return kind(**ready)
    except TypeError as error:
        raise BadInput(f"An option is missing: {error}.", source, "Add it.") from None


def _read(kind: object, value: object, source: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        return from_json(kind, value, source)
    if origin in (Union, types.UnionType):
        return _read_union(kind, value, source)
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
    elif kind is float and _is_number(value):
        return float(value)
    elif isinstance(kind, type) and kind is not float and type(value) is kind:
        return value
    raise BadInput(f"{value!r:.80} is not {_name(kind)}.", source, f"Give {_name(kind)}.")


def _is_number(value: object) -> TypeGuard[int | float]:
    if type(value) is bool or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST  # NaN is not


def _read_union(kind: object, value: object, source: str) -> object:
    """A value of one of several types: a config by its `kind`, anything else by the first it is."""
    configs, parts = _configs(kind), get_args(kind)
    if isinstance(value, Mapping) and configs:
        return _read_config(configs, value, source)
    if value is None and type(None) in parts:
        return None
    others = [part for part in parts if part is not type(None)]
    if len(others) == 1:
        return _read(others[0], value, source)  # its error says more than ours
    for part in others:
        with suppress(BadInput):
            return _read(part, value, source)
    names = " or ".join(_name(part) for part in parts)
    raise BadInput(f"{value!r:.80} is not {names}.", source, f"Give {names}.")


def _read_config(
    configs: Mapping[str, type[DataclassInstance]], value: Mapping[str, object], source: str
) -> DataclassInstance:
    named = value.get("kind")
    if len(configs) == 1:
        (only,) = configs.values()
        return from_json(only, value, source)
    if named is None:
        fix = f"Add one of {', '.join(map(repr, configs))}."
        raise BadInput("The options do not say of which kind they are.", f"{source}: kind", fix)
    if named not in list(configs):
        fix = _nearest(named, list(configs))
        raise BadInput(f"No options are of kind {named!r:.80}.", f"{source}: kind", fix)
    rest = {key: inner for key, inner in value.items() if key != "kind"}
    return from_json(configs[named], rest, source)


def _nearest(word: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(word), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."


def _name(kind: object) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(repr, get_args(kind)))
    plain: dict[object, str] = {
        type(None): "null",
        int: "a whole number",
        float: "a number",
        str: "a text",
        bool: "true or false",
    }
    return plain.get(kind, str(getattr(kind, "__name__", kind)))


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy's legacy generator (for libraries) and torch."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries may read it
    torch.manual_seed(seed)


def environment(*beside: str) -> JsonObject:
    """Library versions and, in a checkout, the commit: written beside every result.

    Args:
        beside: Libraries that decided this result and are not among those of every one.
    """
    versions = {}
    for name in (*RECORDED, *beside):
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
