"""Problem sets in the form in which they are handed round: GSM8K and MATH-500, by path.

GSM8K has `question` and `answer`, a worked answer that ends with `#### 18`. MATH-500 has `problem`
(or `prompt`) and `answer`, or a `solution` whose answer stands in a box.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tastemaker.data.json_list import json_list
from tastemaker.reinforce.extraction import boxed, extracted
from tastemaker.reinforce.prompts import (
    MATHS_ASKED,
    NUMBER_ASKED,
    Fault,
    Prompt,
    Row,
    asked,
    checked_gold,
    json_rows,
    prompts_of,
    text_of,
)


def gsm8k(path: Path) -> list[Prompt]:
    """Prompts of a file of GSM8K, whose answers are numbers.

    Raises:
        BadData: With every bad row; then none is read.
    """

    def read(row: Row, number: int) -> Prompt:
        question, worked = text_of(row, "question"), text_of(row, "answer")
        gold = extracted(worked.rpartition("####")[2], "number") if "####" in worked else None
        if gold is None:
            what, fix = "no number stands behind ####", "End it with a line such as #### 18."
            raise Fault("answer", worked, what, fix)
        return Prompt(f"gsm8k {number}", asked(f"{question}\n{NUMBER_ASKED}"), gold, "number")

    return prompts_of(path, _rows(path), read)


def math_500(path: Path) -> list[Prompt]:
    """Prompts of a file of MATH-500, whose answers are mathematics; lines or a list.

    Raises:
        BadData: With every bad row; then none is read.
    """

    def read(row: Row, number: int) -> Prompt:
        question = text_of(row, "problem", "prompt")
        given = text_of(row, "answer", "solution")
        name = row.get("unique_id", row.get("id"))
        gold = boxed(given) if row.get("answer") is None else given
        if gold is None:
            what = r"nothing stands in a \boxed{}"
            raise Fault("solution", given, what, r"Box the answer, or give it as answer.")
        return Prompt(
            f"math-500 {number}" if name is None else str(name),
            asked(f"{question}\n{MATHS_ASKED}"),
            checked_gold(gold, "maths", "answer"),
            "maths",
        )

    return prompts_of(path, _rows(path), read)


def _rows(path: Path) -> Iterable[tuple[int, object]]:
    """Objects of JSON lines or, where the name ends in `.json`, of a list."""
    if path.name.removesuffix(".gz").endswith(".json"):
        table = json_list(path)
        return enumerate(
            (row for frame in table.batches() for row in frame.iter_rows(named=True)), 1
        )
    return json_rows(path)
