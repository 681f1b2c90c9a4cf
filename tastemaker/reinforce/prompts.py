"""Prompts: what a model is asked during training, and of what kind its answer is.

A prompt file has one JSON object a line: `prompt` (a text) or `messages` (a conversation), and, as
one likes, `id`, `kind` and `gold`, the right answer, which only evaluation reads. All bad lines are
reported at once, and then nothing is read.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tastemaker.data.lines import byte_blocks
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.replies import Conversation
from tastemaker.data.tables import unreadable
from tastemaker.errors import BadInput
from tastemaker.reinforce.equivalence import checked_answer
from tastemaker.reinforce.extraction import checked_kind
from tastemaker.worlds.arithmetic import ArithmeticProblem

_SHOWN = 20
"""Lines of one kind of fault that are listed singly; the last of them stands for the rest."""
_ROLES = ("system", "user", "assistant")
_EXAMPLE = '{"id": "p1", "prompt": "How much is 2 + 3?", "kind": "number", "gold": "5"}'
KIND = "maths"
"""Kind of an answer of which nothing is said."""
NUMBER_ASKED = "Think step by step, and end with the answer alone, a number, in \\boxed{}."
MATHS_ASKED = "Think step by step, and end with the answer alone in \\boxed{}."


@dataclass(frozen=True)
class Prompt:
    """What is asked once."""

    id: str
    """its own among the prompts of a run"""
    messages: Conversation
    """the oldest first"""
    gold: str | None = None
    """the right answer, for evaluation alone"""
    kind: str = KIND
    """of the answer, as `extraction.checked_kind` takes it"""


Row = Mapping[str, object]
Reader = Callable[[Row, int], Prompt]
"""An object and its row → the prompt; raises `Fault` where there is none in it."""


class Fault(Exception):
    """What is wrong with a line.

    Args:
        column: Key concerned.
        value: What stands there.
        what: What is wrong with it.
        fix: What to do.
    """

    def __init__(self, column: str, value: object, what: str, fix: str) -> None:
        super().__init__(what)
        self.column, self.value, self.what, self.fix = column, value, what, fix


def asked(text: str) -> Conversation:
    """A conversation that is one question."""
    return ({"role": "user", "content": text},)


def read_prompts(path: Path) -> list[Prompt]:
    """The prompts of a file.

    Args:
        path: JSON lines, plain or gzipped; blank lines count as rows, and are passed over.

    Raises:
        BadData: With every bad line; then none is read.
    """
    return prompts_of(path, json_rows(path), _prompt)


def prompts_of(path: Path, rows: Iterable[tuple[int, object]], read: Reader) -> list[Prompt]:
    """The prompts of rows, or all that is wrong with them.

    Args:
        path: For messages.
        rows: Number and value of each row; a value may be a `Fault` already.
        read: What makes a prompt of an object.

    Raises:
        BadData: If any row is bad, or there is none.
    """
    prompts: list[Prompt] = []
    ids: dict[str, int] = {}
    faults: dict[tuple[str, str], list[tuple[int, Fault]]] = {}
    for row, value in rows:
        try:
            prompt = _read(value, row, read)
            if prompt.id in ids:
                what = "the id stands in an earlier row too"
                raise Fault("id", prompt.id, what, "Give each prompt an id of its own.")
        except Fault as fault:
            faults.setdefault((fault.column, fault.what), []).append((row, fault))
            continue
        ids[prompt.id] = row
        prompts.append(prompt)
    if faults:
        raise BadData([problem for same in faults.values() for problem in _problems(path, same)])
    if not prompts:
        raise unreadable(str(path), "the file holds no prompt", f"Write lines such as {_EXAMPLE}.")
    return prompts


def json_rows(path: Path, example: str = _EXAMPLE) -> Iterator[tuple[int, object]]:
    """Row number and value of each line that is not blank; a `Fault` for one that is not JSON.

    Args:
        path: The file.
        example: A good line, for messages.
    """
    row = 0
    try:
        for block in byte_blocks(path):
            for line in block.removesuffix(b"\n").split(b"\n"):
                row += 1
                if line.strip():
                    yield row, _value(line, example)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(str(path), f"the file cannot be read: {error}", "Mend it.") from None


def arithmetic_prompts(problems: Iterable[ArithmeticProblem]) -> list[Prompt]:
    """Prompts that ask for problems of `worlds.arithmetic`."""
    return [
        Prompt(f"arithmetic {one.text}", asked(f"{one.text} ="), str(one.answer), "number")
        for one in problems
    ]


def text_of(row: Row, *names: str) -> str:
    """The text that stands under the first of these keys that an object has.

    Raises:
        Fault: If there is none, or it is blank or no text.
    """
    name = next((name for name in names if row.get(name) is not None), names[0])
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        what = "there is no text" if value is None else "it is no text, or a blank one"
        raise Fault(name, value, what, f"Write lines such as {_EXAMPLE}.")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Fault(name, value, "an escape stands for half of a character", "Write UTF-8.")
    return value


def checked_gold(gold: str, kind: str, column: str = "gold") -> str:
    """A right answer that some answer can equal.

    Raises:
        Fault: If none can.
    """
    try:
        checked_answer(gold, kind)
    except BadInput as error:
        raise Fault(column, gold, f"it is no answer of the kind {kind!r}", error.fix) from None
    return gold


def _value(line: bytes, example: str) -> object:
    try:
        return json.loads(line, object_pairs_hook=_once, parse_constant=_no_number)
    except Fault as fault:
        return fault
    except (ValueError, RecursionError) as error:
        told = str(error).split(":")[0].lower()
        text = line[:200].decode("utf-8", "replace")
        return Fault("", text, f"the line is not JSON ({told})", f"Write {example}.")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object each of whose keys stands there once: else the last would silently win."""
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            raise Fault(key[:80], value, "the key stands there twice", "Keep one of them.")
        made[key] = value
    return made


def _no_number(name: str) -> object:
    raise Fault("", name, "it is no number that JSON has", "Write a number, a text, or null.")


def _read(value: object, row: int, read: Reader) -> Prompt:
    if isinstance(value, Fault):
        raise value
    if not isinstance(value, dict):
        what = f"the line holds a {type(value).__name__}, not an object"
        raise Fault("", value, what, f"Write {_EXAMPLE}.")
    return read(value, row)


def _problems(path: Path, faults: list[tuple[int, Fault]]) -> Iterator[Problem]:
    """One for each line, but that the last shown stands for those behind it too."""
    for place, (row, fault) in enumerate(faults[:_SHOWN], start=1):
        count = len(faults) - _SHOWN + 1 if place == _SHOWN else 1
        value = "" if fault.value is None else shown(fault.value)
        yield Problem(str(path), fault.column, row, value, count, fault.what, fault.fix)


def _prompt(row: Row, number: int) -> Prompt:
    known = ("id", "prompt", "messages", "gold", "kind")
    for key in row:
        if key not in known:
            fix = f"Known are {', '.join(known)}."
            raise Fault(key[:80], row[key], "there is no such key", fix)
    if ("prompt" in row) == ("messages" in row):
        fix = "Give one of them: a text, or a list of messages."
        raise Fault("prompt", row.get("prompt"), "a line has either prompt or messages", fix)
    messages = asked(text_of(row, "prompt")) if "prompt" in row else _messages(row["messages"])
    kind = KIND if row.get("kind") is None else text_of(row, "kind")
    try:
        checked_kind(kind)
    except BadInput as error:
        raise Fault("kind", kind, "there is no such kind of answer", error.fix) from None
    gold = _scalar(row, "gold")
    name = _scalar(row, "id")
    return Prompt(
        str(number) if name is None else name,
        messages,
        None if gold is None else checked_gold(gold, kind),
        kind,
    )


def _scalar(row: Row, name: str) -> str | None:
    """A text, or a number as it is written; None where there is none."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return json.dumps(value)
    return text_of(row, name)


def _messages(value: object) -> Conversation:
    fix = 'Write [{"role": "user", "content": "…"}], the last message being of the user.'
    if not isinstance(value, list) or not value:
        raise Fault("messages", value, "it is no list of messages", fix)
    for message in value:
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise Fault("messages", message, f"a message has one of the roles {_ROLES}", fix)
        text_of(message, "content")
        if more := [key for key in message if key not in ("role", "content")]:
            raise Fault("messages", more[0], "a message has a role and a content, no more", fix)
    if value[-1]["role"] != "user":
        raise Fault("messages", value[-1], "the last message is not of the user", fix)
    return tuple({"role": one["role"], "content": one["content"]} for one in value)
