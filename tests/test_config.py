"""Configuration is read strictly, and nothing in it can run."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Optional, Union

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker import config
from tastemaker.config import environment, from_json, seed_everything, to_json
from tastemaker.errors import BadInput


@dataclass(frozen=True)
class Inner:
    """Nested."""

    depth: int = 2


@dataclass(frozen=True)
class Outer:
    """Every kind of field."""

    dim: int = 64
    rate: float = 0.1
    name: str = ""
    on: bool = False
    kind: Literal["a", "b"] = "a"
    inner: Inner = field(default_factory=Inner)
    maybe: int | None = None
    pair: tuple[int, float] = (1, 2.0)
    many: tuple[int, ...] = ()
    table: dict[str, float] = field(default_factory=dict)


def test_round_trip() -> None:
    value = Outer(3, 0.5, "x", True, "b", Inner(9), 4, (5, 6.0), (7, 8), {"k": 1.0})
    assert from_json(Outer, to_json(value), "test") == value
    assert from_json(Outer, {}, "test") == Outer()
    assert from_json(Outer, {"rate": 1, "maybe": None, "inner": {"depth": 1}}, "t").rate == 1.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dimm": 3}, "'dim'"),
        ({"dim": 3, "rate": 0.5, "naem": "x"}, "'name'"),
        ({"dim": 3, "rate": "x"}, "a number"),
        ({"hidden_sizee": 3}, "Known:"),
        ({"dim": "64"}, "whole number"),
        ({"dim": 64.0}, "whole number"),
        ({"dim": True}, "whole number"),
        ({"dim": None}, "whole number"),
        ({"rate": "0.1"}, "a number"),
        ({"rate": True}, "a number"),
        ({"name": 3}, "a text"),
        ({"on": 1}, "true or false"),
        ({"on": "true"}, "true or false"),
        ({"kind": "c"}, "one of 'a', 'b'"),
        ({"inner": {"depht": 3}}, "'depth'"),
        ({"inner": 3}, "Inner"),
        ({"maybe": "x"}, "whole number"),
        ({"pair": [1]}, "tuple"),
        ({"many": [1, "x"]}, "many[1]"),
        ({"table": {"a": "x"}}, "table.a"),
    ],
)
def test_nothing_is_guessed_or_coerced(values: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        from_json(Outer, values, "file.json")
    assert words in str(caught.value)
    assert "file.json" in str(caught.value)


CODE = [
    "__import__('os').system('touch canary')",
    "f\"{open('canary', 'w')}\"",
    "().__class__.__bases__[0].__subclasses__()",
    "eval('1')",
    "!!python/object/apply:os.system [touch canary]",
    "${env:HOME}",
    "{{ 7 * 7 }}",
    "lambda: 1",
]


@given(
    st.sampled_from(CODE), st.text(max_size=20), st.sampled_from(["name", "dim", "kind", "rate"])
)
@settings(max_examples=300, deadline=None)
def test_values_that_look_like_code_are_kept_as_text_or_refused(
    code: str, more: str, key: str
) -> None:
    text = code + more
    if key == "name":
        assert from_json(Outer, {key: text}, "t").name == text
    else:
        with pytest.raises(BadInput):
            from_json(Outer, {key: text}, "t")
    with pytest.raises(BadInput):
        from_json(Outer, {text: 1}, "t")
    assert not Path("canary").exists()


@dataclass(frozen=True)
class RedConfig:
    """A kind."""

    depth: int = 1


@dataclass(frozen=True)
class RedderConfig:
    """Another with the same field, and one more."""

    depth: int = 2
    inner: Inner = field(default_factory=Inner)


@dataclass(frozen=True)
class Holder:
    """Fields that hold one of several kinds, alone and in lists and tables."""

    one: RedConfig | RedderConfig = field(default_factory=RedConfig)
    maybe: Inner | None = None
    many: tuple[RedConfig | RedderConfig | int, ...] = ()
    table: dict[str, RedConfig | RedderConfig] | None = None
    number: int | str = 0
    share: float | int | None = None


@pytest.mark.parametrize(
    "value",
    [
        Holder(),
        Holder(RedderConfig(1), Inner(4), (RedConfig(), 3, RedderConfig()), {"a": RedderConfig()}),
        Holder(RedConfig(9), None, (), {}, "x", 0.5),
        Holder(RedConfig(9), None, (1, RedConfig(2), 3), {}, 7, None),
    ],
)
def test_a_nested_config_carries_its_kind(value: Holder) -> None:
    stored = json.loads(json.dumps(to_json(value)))
    assert from_json(Holder, stored, "t") == value
    assert stored["one"]["kind"] == type(value.one).__name__.removesuffix("Config")
    assert "kind" not in (stored["maybe"] or {})


@dataclass(frozen=True)
class Older:
    """The same in the older spelling, as type variables and `Optional` give it."""

    one: Union[RedConfig, RedderConfig]  # noqa: UP007 - the spelling is what is tested
    maybe: Optional[Inner] = None  # noqa: UP045
    number: Union[int, str] = 0  # noqa: UP007


@pytest.mark.parametrize("value", [Older(RedderConfig(3), Inner(1), "x"), Older(RedConfig())])
def test_unions_may_be_spelt_either_way(value: Older) -> None:
    stored = to_json(value)
    assert stored["one"]["kind"] in ("Red", "Redder")
    assert from_json(Older, stored, "t") == value
    with pytest.raises(BadInput):
        from_json(Older, stored | {"number": 1.5}, "t")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"one": {"depth": 3}}, ["one: kind", "'Red', 'Redder'"]),
        ({"one": {"kind": "Reder"}}, ["one: kind", "'Redder'"]),
        ({"one": {"kind": ["Red"]}}, ["one: kind"]),
        ({"one": {"kind": "Red", "inner": {}}}, ["'inner'"]),
        ({"one": 3}, ["Red"]),
        ({"many": [{"kind": "Blue"}]}, ["many[0]: kind", "Known: Red, Redder"]),
        ({"maybe": {"kind": "Inner"}}, ["'kind'"]),
        ({"number": 1.5}, ["a whole number or a text"]),
        ({"number": None}, ["a whole number or a text"]),
        ({"number": True}, ["a whole number or a text"]),
        ({"one": None}, ["Red"]),
        ({"maybe": 3}, ["Inner"]),
        ({"table": [1]}, ["table"]),
        ({"share": "half"}, ["share"]),
        (3, ["Holder"]),
    ],
)
def test_a_kind_is_never_guessed(values: object, words: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        from_json(Holder, values, "file.json")  # type: ignore[arg-type]
    assert all(word in str(caught.value) for word in ("file.json", *words)), str(caught.value)


def test_a_config_of_a_kind_that_the_field_does_not_name_is_not_written() -> None:
    with pytest.raises(BadInput, match="RedConfig"):
        to_json(Outer(inner=RedConfig()))  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_numbers_are_finite(rate: float) -> None:
    with pytest.raises(BadInput, match="rate"):
        from_json(Outer, {"rate": rate}, "t")


def test_a_missing_option_is_named() -> None:
    @dataclass(frozen=True)
    class Needs:
        """One field without default."""

        size: int

    with pytest.raises(BadInput, match="size"):
        from_json(Needs, {}, "t")


@pytest.mark.parametrize("other", [0, 7 + 2**31, 2**40])
def test_seeds_repeat(other: int) -> None:
    draws = []
    for seed in (7, 7, other):
        seed_everything(seed)
        legacy = float(np.random.random())  # noqa: NPY002 - what libraries may draw from
        draws.append((float(torch.rand(1)), legacy, random.random()))
    assert draws[0] == draws[1]
    assert all(one != two for one, two in zip(draws[0], draws[2], strict=True))


def test_the_environment_names_versions_and_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    found = environment()
    assert found["versions"]["torch"].startswith("2.13")
    assert found["commit"]
    monkeypatch.setattr(config, "RECORDED", ("no-such-library",))
    assert environment()["versions"] == {"no-such-library": "not installed"}
    monkeypatch.setattr(config, "__file__", "/nowhere/tastemaker/config.py")
    assert config.commit() == "none"
