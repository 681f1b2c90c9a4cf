"""Extracted: interests out of what a language model wrote, whatever it wrote.

Thinking is taken off first. Then the first of these that is JSON counts: a fenced block, the first
`[…]`, the first `{…}`. Nothing here fails: what cannot be read is said and counted. Whatever a
reply's size, time is bounded: what is beyond `MAX_CHARACTERS` is not read, nor more than
`MAX_INTERESTS` interests of at most `MAX_IDS` ids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.data.replies import without_thinking
from tastemaker.inert import inert
from tastemaker.understand.interests import Interest, Mode, merge

MAX_CHARACTERS = 400_000
"""Characters of a reply that are read; a reply of 4,096 tokens has some 20,000."""
MAX_INTERESTS = 500
"""Interests of a reply."""
MAX_IDS = 5_000
"""Cited ids of an interest."""
MAX_NAME = 200
"""Characters of a name; interests have two to five words."""
_MAX_TEXT = 2_000
_MAX_STARTS = 64
_NO_NUMBER = {"NaN": None, "Infinity": None, "-Infinity": None}


@dataclass(frozen=True)
class Extracted:
    """What a model wrote of one user, or of one chunk of their history."""

    interests: tuple[Interest, ...]
    """those with a name, joined by it; some may be failed (`Interest.problem`)"""
    nameless: int = 0
    """entries that are no interests: no objects, or without a name"""
    problem: str = ""
    """why nothing was read; empty: something was, be it an empty list"""
    thinking: str = ""
    """what stood in thinking blocks"""

    @property
    def failed(self) -> int:
        """Entries that count as failed interests."""
        return self.nameless + sum(bool(interest.problem) for interest in self.interests)


def extracted(text: str, mode: Mode = "strict") -> Extracted:
    """Read interests out of a reply.

    Args:
        text: The whole reply.
        mode: In `reference` mode ids that are written as numbers match nothing, as they do in the
            released program; `strict` takes them for the texts that they are in a log.
    """
    answer, thinking = without_thinking(text[:MAX_CHARACTERS])
    if not answer.strip():
        return Extracted((), 0, "the reply is empty", thinking)
    content = _listed(find_json(answer))
    if content is None:
        return Extracted((), 0, "the reply holds no list of interests", thinking)
    read = [_interest(entry, mode) for entry in content[:MAX_INTERESTS]]
    interests = merge([[one for one in read if one is not None]], mode)
    return Extracted(tuple(interests), sum(one is None for one in read), "", thinking)


def find_json(text: str) -> object:
    """The first JSON with interests: in a fenced block, else `[…]`, else `{…}`; None without one.

    A list without objects, such as `[1]` of a footnote, does not count; an empty one does where
    there is nothing else.
    """
    for block in text.split("```")[1:-1:2]:
        found = _first(block, "[{")
        if found is not None:
            return found
    for openings in "[{":
        found = _first(text, openings)
        if found is not None:
            return found
    return [] if re.search(r"\[\s*\]", text) else None


def _first(text: str, openings: str) -> object:
    for start in _starts(text, openings):
        try:
            value, _ = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) or any(isinstance(entry, dict) for entry in value):
            return value
    return None


def _starts(text: str, openings: str) -> Iterator[int]:
    """Where JSON might begin, no more than a few places."""
    for number, found in enumerate(re.finditer(f"[{re.escape(openings)}]", text)):
        if number >= _MAX_STARTS:
            return
        yield found.start()


_DECODER = json.JSONDecoder(parse_constant=_NO_NUMBER.get)


def _listed(value: object) -> list[object] | None:
    """The list of interests: a list, the only list of an object, or an object that is one."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    if "interest" in value:
        return [value]
    lists = [inner for inner in value.values() if isinstance(inner, list)]
    return lists[0] if len(lists) == 1 else None


def _interest(entry: object, mode: Mode) -> Interest | None:
    name = entry.get("interest") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(name, str) or not name.strip():
        return None
    cited, unread, problem = _ids(entry.get("item_ids"), mode)
    return Interest(
        name=" ".join(inert(name[:MAX_NAME]).split()),
        cited=cited,
        unread=unread,
        claimed=_counts(entry.get("counts", _flat(entry))),
        types=_types(entry.get("item_types")),
        excerpt=_text(entry.get("evidence_excerpt")),
        rationale=_text(entry.get("brief_rationale")),
        problem=problem,
    )


def _ids(value: object, mode: Mode) -> tuple[tuple[str, ...], int, str]:
    """Distinct ids, entries that are none, and why the evidence could not be read."""
    if not isinstance(value, list):
        return (), 0, f"item_ids is {type(value).__name__}, not a list"
    entries = value[:MAX_IDS]
    read = [_id(entry, mode) for entry in entries]
    known = tuple(dict.fromkeys(one for one in read if one is not None))
    unread = sum(one is None for one in read)
    problem = "no entry of item_ids is an id" if entries and not known else ""
    return known, unread, "" if mode == "reference" else problem


def _id(entry: object, mode: Mode) -> str | None:
    if isinstance(entry, str):
        return entry.strip() or None
    if mode == "strict" and type(entry) is int:
        return str(entry)
    if mode == "strict" and isinstance(entry, float) and entry.is_integer():
        return str(int(entry))
    return None


def _flat(entry: Mapping[str, object]) -> dict[str, object] | None:
    """Numbers that stand in the interest itself; None where there are none."""
    return {kind: entry[kind] for kind in POLARITIES if kind in entry} or None


def _counts(value: object) -> Mapping[Polarity, int] | None:
    """Claimed numbers by polarity; None where they are no whole numbers of a sensible size."""
    if not isinstance(value, dict):
        return None
    numbers: dict[Polarity, int] = {}
    for kind in POLARITIES:
        number = value.get(kind, 0)
        if type(number) is not int or not 0 <= number <= MAX_IDS:
            return None
        numbers[kind] = number
    return numbers


def _types(value: object) -> Mapping[str, Polarity]:
    """Claimed polarity by cited id; entries of no known polarity are left out."""
    if not isinstance(value, dict):
        return {}
    known = {str(kind): kind for kind in POLARITIES}
    said = list(value.items())[:MAX_IDS]
    return {
        item.strip(): known[kind] for item, kind in said if isinstance(kind, str) and kind in known
    }


def _text(value: object) -> str:
    return inert(value[:_MAX_TEXT]) if isinstance(value, str) else ""
