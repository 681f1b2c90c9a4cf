"""Bounds: sensible ones, and JSON that nests too deeply."""

import json
import time

import pytest

from tastemaker.errors import BadInput
from tastemaker.serve.limits import Limits, nested_deeper


@pytest.mark.parametrize(
    "wrong", [{"k": 0}, {"body": -1}, {"rate": -1.0}, {"patience": 0.0}, {"queue": True}]
)
def test_bounds_that_allow_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput) as error:
        Limits(**wrong)
    assert error.value.where == f"--limits.{next(iter(wrong))}"


@pytest.mark.parametrize(
    ("body", "deeper"),
    [
        (b"", False),
        (b"1", False),
        (b"[[[]]]", False),
        (b"[[[[]]]]", True),
        (b'{"a":[{"b":1}]}', False),
        (b'{"a":[{"b":[1]}]}', True),
        (json.dumps(["[" * 50, '"[[[[', "\\", "]" * 9]).encode(), False),
        (json.dumps([{}] * 500).encode(), False),
        (b"]" * 9 + b"[" * 9, True),
    ],
)
def test_levels_are_counted_outside_of_texts(body: bytes, deeper: bool) -> None:
    assert nested_deeper(body, 3) == deeper


def test_a_megabyte_of_brackets_is_refused_at_once() -> None:
    began = time.process_time()
    assert nested_deeper(b"[" * 500_000 + b"]" * 500_000, 32)
    assert nested_deeper(b'{"a":' * 200_000, 32)
    assert time.process_time() - began < 1
