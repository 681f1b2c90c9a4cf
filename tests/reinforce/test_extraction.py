"""Extraction: the answer of a completion by kind, none where there is none, nothing ever run."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.inert import inert
from tastemaker.reinforce.extraction import MOST, boxed, checked_kind, extracted


@pytest.mark.parametrize(
    "completion, answer",
    [
        (r"First 3, then 4. \boxed{18}", "18"),
        (r"so \boxed{18 \text{ dollars}} of 20", "18"),
        ("She makes 9 * 2 = 18.\n#### 18", "18"),
        ("#### $1,234.50 a day", "$1,234.50"),
        ("The answer is 5, since 3 + 2 = 5 and not 6.", "5"),
        ("**Answer:** 7", "7"),
        ("Final answer: -3", "-3"),
        ("3 and 4 make 7.", "7"),
        ("it is 1{,}000", "1,000"),
        ("a half, 1/2", "1/2"),
        (r"about 50\%", r"50\%"),
        ("<think>it may be 3</think> 4", "4"),
        ("<think>it may be 3", None),
        ("none", None),
        ("", None),
        ("x2 and v3", None),
        (r"\boxed{\frac{1}{2}}", "1/2"),
        (r"\boxed{-\dfrac34}", "-3/4"),
        (r"\boxed{3\frac{1}{2}}", "7/2"),
        (r"the answer is $\frac{-5}{12}$.", "-5/12"),
        (r"\boxed{5 \times 10^{3}}", "5e3"),
        ("hence 6.02 × 10^23", "6.02e23"),
        (r"\boxed{1\,000}", "1000"),
        (r"\boxed{12 500}", "12500"),
        (r"\boxed{2 + 3 = 5}", "5"),
        (r"\boxed{x^{2} = 9}", "9"),
        (r"\boxed{90^\circ}", "90"),
        (r"\boxed{5\text{ m}^2}", "5"),
        ("60/2.5 is 24", "24"),
    ],
)
def test_numbers(completion: str, answer: str | None) -> None:
    assert extracted(completion, "number") == answer


@pytest.mark.parametrize(
    "said",
    ["10^5", "2^{10}", r"\sqrt{2}", r"3\sqrt{2}", r"\sqrt2", r"2\pi", "10²", "3½", "1.5^2",
     r"\frac{\sqrt{3}}{2}", r"\frac{\pi}{6}", r"\frac{x^{2}}{2}", "x^{2}", "x^{-2}", "10^-5",
     "1/2^3", "1,000^2", "2 + 3", "3, 5", "3,5", r"5\text{ or }7"],
)  # fmt: skip
@pytest.mark.parametrize("place", [r"It is 7. \boxed{%s}", r"7, so $%s$ \boxed{%s}"])
def test_a_part_of_other_mathematics_is_no_number(said: str, place: str) -> None:
    assert extracted(place.replace("%s", said), "number") is None


@pytest.mark.parametrize("said", ["10^5", r"\sqrt{2}", r"2\pi", r"\frac{\pi}{6}"])
def test_what_is_called_the_answer_and_is_no_number_is_none(said: str) -> None:
    assert extracted(f"First 7. The answer is ${said}$", "number") is None
    assert extracted(f"First 7.\n#### {said}", "number") is None


@pytest.mark.parametrize(
    "completion, answer",
    [
        (r"\boxed{1} or rather \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\text{a \} b}}", r"\text{a \} b}"),
        (r"\boxed{p -" + "\n q}", "p - q"),
        (r"The answer is $x^2$.", "x^2"),
        ("Answer: x + 1. Done", "x + 1"),
        (r"hence $a$, so $b$", "b"),
        (r"hence \(b\)", "b"),
        ("it is 12", "12"),
        (r"\boxed{1", "1"),
        (r"\boxed{}", None),
        ("so be it", None),
    ],
)
def test_mathematics(completion: str, answer: str | None) -> None:
    assert extracted(completion, "maths") == answer


@pytest.mark.parametrize(
    "completion, answer",
    [
        (r"\boxed{B}", "B"),
        (r"\boxed{\text{(C)}}", "C"),
        ("The answer is (D).", "D"),
        ("the answer is b", "B"),
        ("Answer: **A**", "A"),
        ("It is (A) at first sight, but (C) on reflection.", "C"),
        ("I choose option E", "E"),
        ("so\nB.", "B"),
        ("A cat sat. I know. Big C energy", None),
        ("the answer is apparent", None),
        (r"\boxed{5}", None),
    ],
)
def test_choices(completion: str, answer: str | None) -> None:
    assert extracted(completion, "choice") == answer


@pytest.mark.parametrize(
    "completion, answer",
    [
        ('```json\n{"answer": "tea"}\n```', "tea"),
        ('{"answer": 1} no: {"answer": 2.50}', "2.5"),
        ('{"a": {"answer": 1}, "answer": {"b": 1, "a": [true]}}', '{"a": [true], "b": 1}'),
        ('{"answer": "braces } in { it"}', "braces } in { it"),
        ('{"answer": false}', "false"),
        ('{"answer": null}', None),
        ('{"other": 1}', None),
        ('{"answer": 1', None),
        ("{answer: 1}", None),
        ('["answer"]', None),
    ],
)
def test_fields(completion: str, answer: str | None) -> None:
    assert extracted(completion, "json:answer") == answer


def test_texts_stand_on_one_line_without_controls() -> None:
    assert extracted("  a\n b\x1b[31m\x00\u202ec ", "text") == "a b\ufffd[31m\ufffd\ufffdc"
    assert extracted(" \n", "text") is None


@pytest.mark.parametrize("kind", ["number", "maths", "choice", "text", "json:a"])
def test_an_answer_that_is_too_long_is_none(kind: str) -> None:
    long = "7" * (MOST + 1)
    wholes = {"maths": rf"\boxed{{{long}}}", "json:a": json.dumps({"a": long})}
    assert extracted(wholes.get(kind, long), kind) is None
    assert extracted("7" * MOST, "number") == "7" * MOST


def test_kinds_that_are_none() -> None:
    for kind in ("", "maths ", "json:", "JSON", "number\n"):
        with pytest.raises(BadInput):
            checked_kind(kind)
        with pytest.raises(BadInput):
            extracted("1", kind)


def test_a_box_that_is_never_closed_and_one_before_it() -> None:
    assert boxed(r"\boxed{1} \boxed{2") == "1"
    assert boxed(r"\boxed{" * 1000) is None
    assert boxed(r"\boxed{a\boxed{b}c}") == "b"


@given(st.text(), st.sampled_from(["number", "maths", "choice", "text", "json:a"]))
def test_no_completion_is_too_strange(completion: str, kind: str) -> None:
    answer = extracted(completion, kind)
    assert answer is None or (answer == inert(answer).strip() and 0 < len(answer) <= MOST)


@pytest.mark.parametrize(
    "part",
    ["{", '{"a":', "[", r"\boxed{", "$", "1", "1,", " ", "\n", "A", "(A)", "answer is ", "####",
     "answer is" + " " * 50, "**", "\\", "<think>", "-", ". ", r"\(", "\x00", "answer\n:",
     r"\frac{", r"\frac{1}", r"\sqrt{{1}", "1 ", "10^"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["number", "maths", "choice", "text", "json:a"])
def test_a_hostile_megabyte_is_read_in_no_time(part: str, kind: str) -> None:
    begun = time.process_time()
    extracted(part * (2**20 // len(part)), kind)
    assert time.process_time() - begun < 1.0
