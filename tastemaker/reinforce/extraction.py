r"""Extraction: the final answer of a completion, as a text of at most 256 characters, or none.

Completions are written by models and may hold anything. They are read by patterns without nested
repetition, and only their last 20,000 characters, so that no completion takes long; nothing of
them is ever run. What a model thinks before it answers is not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from tastemaker.data.replies import without_thinking
from tastemaker.errors import BadInput
from tastemaker.inert import inert
from tastemaker.reinforce.numbers import NUMBER, written_out

MOST = 256
"""Characters of the longest answer; a longer one counts as none, since a part of it is another."""
_LAST = 20_000
_BRACES = 64
"""Places, from the end, where a JSON object is looked for."""
JSON = "json:"
"""A kind that begins so is the field of a JSON object, named behind it: `json:answer`."""
_ANSWER = r"(?:answer|result)\s{0,4}(?:is|=|:)\s{0,4}:?\s{0,4}"
_SAID = re.compile(rf"{_ANSWER}(?P<said>[^\n]{{1,300}})", re.IGNORECASE)
_HASHES = re.compile(r"####[ \t]*([^\n]{1,300})")
_NUMBER = re.compile(
    r"(?<![\w.,/^])(?<![\^_]\{)(?<!\^-)(?<!\^\{-)"
    rf"({NUMBER}(?:/\d+(?![\d.]))?(?:\s?(?:\\?%|percent\b))?)"
    r"(?!\d|[.,/]\d|\s?(?:\^\s?\{?\s?[-+\w]|[√π\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2079]|\\pi))",
    re.ASCII,
)
"""Not a part of a power, root or list: 10^5 is not 10."""
_SPACED = re.compile(r"\d{1,3}(?: \d{3})+", re.ASCII)
_DOLLARS = re.compile(r"\$\$?([^$]{1,300})\$\$?|\\\(([^()\n]{1,300})\\\)")
_LETTER = re.compile(r"(?<![A-Za-z\\])\(?([A-J])\)?(?![A-Za-z'’])")
_LETTER_SAID = re.compile(
    rf"(?:{_ANSWER}|(?:option|choice)\s+)(?:option\s+|choice\s+)?[*_($\\\s]{{0,4}}"
    r"([A-J])(?![A-Za-z'’])",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"\(([A-J])\)|\*\*\(?([A-J])\)?[.):]?\*\*|^[ \t]{0,9}([A-J])[.):]?[ \t]{0,9}$", re.MULTILINE
)


def checked_kind(kind: str) -> str:
    """A kind of answer: number, maths, choice, text, or the field of an object, `json:FIELD`.

    Raises:
        BadInput: If there is no such kind.
    """
    if kind in _READERS or (kind.startswith(JSON) and kind != JSON):
        return kind
    fix = f"Use one of {', '.join(_READERS)}, or {JSON}FIELD for the field of a JSON object."
    raise BadInput(f"There is no kind of answer {kind[:80]!r}.", "kind", fix)


def extracted(completion: str, kind: str) -> str | None:
    """The final answer of a completion, on one line; None where there is none of this kind.

    Args:
        completion: What a model wrote.
        kind: As `checked_kind` takes it.

    Raises:
        BadInput: If there is no such kind.
    """
    checked_kind(kind)
    text, _ = without_thinking(completion[-_LAST:])
    if kind.startswith(JSON):
        answer = _field(text, kind.removeprefix(JSON))
    else:
        answer = _READERS[kind](text)
    answer = None if answer is None else " ".join(inert(answer).split())
    return answer if answer and len(answer) <= MOST else None


def boxed(text: str) -> str | None:
    r"""What the last `\boxed{…}` of a text holds, braces inside it balanced; None without one."""
    starts = [opening.end() for opening in re.finditer(r"\\boxed ?\{", text)]
    for start in reversed(starts[-_BRACES:]):
        depth = 1
        for brace in re.finditer(r"\\.|[{}]", text[start : start + 2 * MOST], re.DOTALL):
            depth += {"{": 1, "}": -1}.get(brace[0], 0)
            if not depth:
                return text[start : start + brace.start()].strip()
    return None


def _number(text: str) -> str | None:
    """The number where the answer stands, else the last of the text; None for other mathematics."""
    inside = boxed(text)
    if inside is not None and _holds_digit(inside):
        return _only_number(inside)
    for place in (_last(_HASHES, text), _said(text)):
        if place is not None and _holds_digit(place):
            # The first number is the answer, what follows explains it.
            return next(iter(_NUMBER.findall(written_out(place))), None)
    return next(reversed(_NUMBER.findall(written_out(text))), None)


def _only_number(inside: str) -> str | None:
    """The number that a box holds, behind the last sign of equality; None where there are more."""
    text = written_out(inside.rpartition("=")[2]).strip()
    if _SPACED.fullmatch(text):
        return text.replace(" ", "")
    numbers = _NUMBER.findall(text)
    return str(numbers[0]) if len(numbers) == 1 else None


def _holds_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _maths(text: str) -> str | None:
    for place in (boxed(text), _last(_HASHES, text)):
        if place:
            return place
    said = _said(text)
    if said is not None:
        inside = _dollars(said)
        return inside[0] if inside else re.split(r"\.\s|\.$", said, maxsplit=1)[0].strip("*_ ")
    inside = _dollars(text)
    return inside[-1] if inside else _number(text)


def _dollars(text: str) -> list[str]:
    return [one or other for one, other in _DOLLARS.findall(text)]


def _choice(text: str) -> str | None:
    """The letter that is boxed, called the answer, or marked; a letter in a sentence is none."""
    inside = boxed(text)
    if inside is not None:
        letters = _LETTER.findall(re.sub(r"\\[a-z]+", "", inside))
        return str(letters[0]) if letters else None
    said = _LETTER_SAID.findall(text)
    if said:
        return str(said[-1]).upper()
    marked = ["".join(groups) for groups in _MARKED.findall(text)]
    return marked[-1] if marked else None


def _text(text: str) -> str | None:
    return text


def _said(text: str) -> str | None:
    return _last(_SAID, text)


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.findall(text)
    return str(found[-1]) if found else None


def _field(text: str, name: str) -> str | None:
    """The field of the last object that has it, as text."""
    decoder, place, answer = json.JSONDecoder(), 0, None
    starts = [brace.start() for brace in re.finditer(r"\{", text)][-_BRACES:]
    for start in starts:
        if start < place:
            continue  # inside an object that was read
        try:
            value, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.get(name) is not None:
            answer = value[name]
    if answer is None or isinstance(answer, str):
        return answer
    return json.dumps(answer, sort_keys=True, ensure_ascii=False)


_READERS: Mapping[str, Callable[[str], str | None]] = {
    "number": _number,
    "maths": _maths,
    "choice": _choice,
    "text": _text,
}
