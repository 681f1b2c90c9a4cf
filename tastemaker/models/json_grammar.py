"""What a reply may look like: a JSON array of objects, as a machine that reads it by characters.

A machine of few states says after any beginning which characters may follow, and how few it takes
to end. `TokenGrammar` asks it about whole tokens: those allowed are the ones after which the array
can still be ended with the tokens that are left. So a reply parses, whatever the weights say.

Written JSON is compact: fields in the order of the shape, at most one space behind `,` and `:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.files import JsonObject

Kind = Literal["text", "texts", "number"]
NEVER = 2**15 - 1
"""Cost of a token that is not allowed."""
_DIGITS = 9
_ESCAPED = '"\\/bfnrt'


@dataclass(frozen=True)
class JsonRows:
    """An array of objects that all have the same fields."""

    fields: tuple[tuple[str, Kind], ...]
    """name and kind of each: a text, a list of texts, or a whole number of up to nine digits"""
    empty: bool = True
    """whether there may be no object at all, which a small model takes for the easiest answer"""

    def schema(self) -> JsonObject:
        """The same as JSON Schema, as endpoints take it."""
        kinds: dict[Kind, JsonObject] = {
            "text": {"type": "string"},
            "texts": {"type": "array", "items": {"type": "string"}},
            "number": {"type": "integer"},
        }
        row = {
            "type": "object",
            "properties": {name: kinds[kind] for name, kind in self.fields},
            "required": [name for name, _ in self.fields],
            "additionalProperties": False,
        }
        return {"type": "array", "items": row} | ({} if self.empty else {"minItems": 1})


class Grammar:
    """States of the machine: 0 before the first character, 1 after the last.

    Raises:
        BadInput: If the shape has no field, or a name that cannot be written as it is.
    """

    start, end = 0, 1

    def __init__(self, rows: JsonRows) -> None:
        names = [name for name, _ in rows.fields]
        plain = all(name.isascii() and name.isidentifier() for name in names)
        if not names or not plain or len(set(names)) < len(names):
            fix = "Give one or more fields, each once, of letters, digits and `_`."
            raise BadInput(f"{names} cannot be the fields of a reply.", "fields", fix)
        self._exact: list[dict[str, int]] = [{}, {}]
        self._any: list[int] = [-1, -1]
        self._build(rows)
        self.closing = self._distances()
        """(S,) fewest characters from each state to the end"""

    def step(self, state: int, character: str) -> int:
        """The state after one more character; −1: it may not stand there."""
        known = self._exact[state].get(character, -1)
        if known >= 0 or self._any[state] < 0 or character in '"\\' or character < " ":
            return known
        return self._any[state]

    def steps(self, state: int, text: str) -> int:
        """The state after more text; −1: it may not stand there."""
        for character in text:
            state = self.step(state, character)
            if state < 0:
                break
        return state

    def _new(self) -> int:
        self._exact.append({})
        self._any.append(-1)
        return len(self._exact) - 1

    def _literal(self, state: int, text: str) -> int:
        """States that read exactly this text; returns the last."""
        for character in text:
            following = self._exact[state][character] = self._new()
            state = following
        return state

    def _spaced(self, state: int, text: str) -> tuple[int, int]:
        """Reads text and perhaps a space; returns both states in which it may go on."""
        bare = self._literal(state, text)
        return bare, self._literal(bare, " ")

    def _build(self, rows: JsonRows) -> None:
        opened = self._literal(self.start, "[")
        if rows.empty:
            self._exact[opened]["]"] = self.end
        row, closed = self._new(), self._new()
        self._exact[opened]["{"] = row
        self._exact[closed]["]"] = self.end
        for state in self._spaced(closed, ","):
            self._exact[state]["{"] = row
        befores: tuple[int, ...] = (row,)
        for number, (name, kind) in enumerate(rows.fields):
            begun = self._new()
            for before in befores:
                self._exact[before]['"'] = begun
            values = self._spaced(self._literal(begun, f'{name}"'), ":")
            last = number == len(rows.fields) - 1
            after = closed if last else self._new()
            befores = () if last else (after, self._literal(after, " "))
            self._value(kind, values, "}" if last else ",", after)

    def _value(self, kind: Kind, befores: Sequence[int], mark: str, after: int) -> None:
        """A value that begins in any of some states; behind it, `mark` leads to `after`."""
        if kind == "number":
            self._number(befores, mark, after)
            return
        done = self._new()
        self._exact[done][mark] = after
        if kind == "text":
            self._text(befores, done)
            return
        opened, listed = self._new(), self._new()
        for before in befores:
            self._exact[before]["["] = opened
        self._exact[opened]["]"] = self._exact[listed]["]"] = done
        self._text((opened, *self._spaced(listed, ",")), listed)

    def _text(self, befores: Sequence[int], after: int) -> None:
        inside, escape = self._new(), self._new()
        for before in befores:
            self._exact[before]['"'] = inside
        self._exact[inside] |= {'"': after, "\\": escape}
        self._any[inside] = inside
        self._exact[escape] |= dict.fromkeys(_ESCAPED, inside)

    def _number(self, befores: Sequence[int], mark: str, after: int) -> None:
        zero, minus = self._new(), self._new()
        digits = [self._new() for _ in range(_DIGITS)]
        for state in befores:
            self._exact[state] |= {"0": zero, "-": minus}
        for state in (*befores, minus):
            self._exact[state] |= dict.fromkeys("123456789", digits[0])
        for state, following in zip(digits, digits[1:], strict=False):
            self._exact[state] |= dict.fromkeys("0123456789", following)
        for state in (zero, *digits):
            self._exact[state][mark] = after

    def _distances(self) -> list[int]:
        far = [0 if state == self.end else NEVER for state in range(len(self._exact))]
        changed = True
        while changed:
            changed = False
            for state, exact in enumerate(self._exact):
                nearest = min((far[to] + 1 for to in exact.values()), default=NEVER)
                if nearest < far[state]:
                    far[state], changed = nearest, True
        return far


@dataclass
class _Node:
    """Tokens that begin alike."""

    tokens: list[int] = field(default_factory=list)
    longer: dict[str, _Node] = field(default_factory=dict)


class TokenGrammar:
    """Which tokens may follow, for a vocabulary.

    Args:
        rows: What a reply may look like.
        texts: (V,) what each token adds to a reply; empty for those that may never stand in one.

    Raises:
        BadInput: If a character that JSON needs is no token of its own.
    """

    def __init__(self, rows: JsonRows, texts: Sequence[str]) -> None:
        self.grammar, self.texts = Grammar(rows), texts
        needed = set('[]{}",: 0' + "".join(name for name, _ in rows.fields))
        if missing := sorted(needed - set(texts)):
            what = f"The vocabulary has no token for {missing[0]!r} alone."
            raise BadInput(what, "the tokenizer", "Ask this model without a shape of the reply.")
        self._root = _Node()
        for token, text in enumerate(texts):
            node = self._root
            for character in text:
                node = node.longer.setdefault(character, _Node())
            if text:
                node.tokens.append(token)
        self._costs: dict[int, npt.NDArray[np.int16]] = {}

    @property
    def least(self) -> int:
        """Fewest tokens of a reply, the one that ends it not counted."""
        return self.grammar.closing[Grammar.start]

    def costs(self, state: int) -> npt.NDArray[np.int16]:
        """(V,) tokens that it takes at most to end after each token; `NEVER`: it may not follow."""
        known = self._costs.get(state)
        if known is None:
            known = np.full(len(self.texts), NEVER, np.int16)
            waiting = [(self._root, state)]
            while waiting:
                node, reached = waiting.pop()
                known[node.tokens] = self.grammar.closing[reached]
                for character, longer in node.longer.items():
                    following = self.grammar.step(reached, character)
                    if following >= 0:
                        waiting.append((longer, following))
            self._costs[state] = known
        return known
