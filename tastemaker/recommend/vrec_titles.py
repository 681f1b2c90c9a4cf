"""Titles as a language model reads and says them: a row of tokens an item, made once.

What stands in a title is data. It is put on one line without control characters and cut, and a text
in it that looks like a mark of the model, such as the one that begins a message, is read as the
letters it is written in, never as the mark. An item without a title goes by its id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.data.ground import Ground
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import load_tensors, save_tensors
from tastemaker.inert import inert
from tastemaker.models.extras import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Int64s = npt.NDArray[np.int64]

OPENING = "A person chose these, oldest first:\n"
"""What a prompt begins with; titles follow, a line each."""
_CHARS = 64
"""Characters of a title that are looked at for every token that is kept."""
_CHUNK = 10_000


@dataclass(frozen=True, eq=False)
class Titles:
    """What a language model reads and says of I items."""

    tokens: Tensor
    """(I, L) int64 tokens of each title, −1 after the last; `end` is not among them"""
    order: Tensor
    """(I,) int64 of items with one title the least is named first: the one most often chosen"""
    opening: Tensor
    """(P,) int64, P ≥ 1, what every prompt begins with"""
    between: Tensor
    """(S,) int64, S ≥ 1, what ends a line"""
    end: int
    """token that ends an answer"""
    most: int
    """columns that the model can read"""

    @classmethod
    def of(
        cls, tokenizer: PreTrainedTokenizerBase, most: int, title_tokens: int, ground: Ground
    ) -> Self:
        """Tokenise a catalogue.

        Args:
            tokenizer: Of the model; it is left as it is.
            most: Columns that the model can read.
            title_tokens: Tokens of a title that are kept, at most.
            ground: Catalogue, and the training events by which items of one title are ordered.

        Raises:
            BadInput: If the tokenizer has no token that ends a text.
        """
        plain = _Plain(tokenizer)
        rows = np.full((ground.num_items, title_tokens), -1, np.int64)
        names = written_names(ground, _CHARS * title_tokens)
        for start in range(0, len(names), _CHUNK):
            for row, tokens in enumerate(plain.of(names[start : start + _CHUNK]), start):
                kept = tokens[:title_tokens]
                rows[row, : len(kept)] = kept
        longest = max(1, int((rows >= 0).sum(1).max(initial=0)))
        events = np.zeros(0, np.int64) if ground.train is None else ground.train.items
        chosen = np.bincount(events, minlength=ground.num_items + 1)[1:]
        return cls(
            torch.from_numpy(np.ascontiguousarray(rows[:, :longest])),
            torch.from_numpy(-chosen.astype(np.int64)),
            torch.tensor(plain.opening()),
            torch.tensor(next(plain.of(["\n"])) or [plain.end]),
            plain.end,
            most,
        )

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        numbers = torch.tensor([self.end, self.most])
        parts = {name: vars(self)[name] for name in ("tokens", "order", "opening", "between")}
        save_tensors(path, {**parts, "tokens": self.tokens.int(), "numbers": numbers})

    @classmethod
    def open(cls, path: Path, num_items: int) -> Self:
        """What `save` wrote.

        Args:
            path: The file.
            num_items: I.

        Raises:
            ArtefactError: If it is missing, damaged, or of another catalogue.
        """
        held = load_tensors(path)
        wanted = dict.fromkeys(("order", "opening", "between", "numbers"), (torch.int64, 1))
        wanted["tokens"] = torch.int32, 2
        kinds = {name: (tensor.dtype, tensor.dim()) for name, tensor in held.items()}
        fix = "Restore the run from a copy, or make it again."
        if kinds != wanted:
            what = "The titles are not those of a run"
            raise ArtefactError(str(path), what, ", ".join(wanted), ", ".join(held) or "none", fix)
        tokens, order = held["tokens"].long(), held["order"]
        lengths = {len(tokens), len(order)}
        if lengths != {num_items}:
            got = " and ".join(f"{length:,}" for length in sorted(lengths))
            raise ArtefactError(str(path), "Titles are of other items", f"{num_items:,}", got, fix)
        said = tokens >= 0
        lines = torch.cat([held["opening"], held["between"]])
        sound = len(held["numbers"]) == 2 and len(held["opening"]) and len(held["between"])
        if not sound or (said[:, 1:] & ~said[:, :-1]).any() or tokens.min() < -1 or lines.min() < 0:
            what, got = "Titles are damaged", "numbers that are no tokens"
            raise ArtefactError(str(path), what, "tokens, and −1 after the last", got, fix)
        end, most = held["numbers"].tolist()
        if end < 0 or (tokens == end).any():
            what, got = "Titles are damaged", f"{end} as a token and as what ends them"
            raise ArtefactError(str(path), what, "an end that no title holds", got, fix)
        return cls(tokens, order, held["opening"], held["between"], end, most)

    @property
    def largest(self) -> int:
        """The greatest token."""
        parts = (self.tokens, self.opening, self.between)
        return max(self.end, *(int(part.max()) for part in parts if part.numel()))


def written_names(ground: Ground, chars: int) -> list[str]:
    """A line of text an item, never empty: its title, else its id, else its number.

    Args:
        ground: Of I items.
        chars: Longest line.
    """
    catalog = ground.catalog
    if not len(catalog.frame):
        return [f"item {number}" for number in range(1, ground.num_items + 1)]
    ids = catalog.frame["item_id"].to_list()
    named = zip(catalog.titles(), ids, strict=True)
    return [
        _line(title, chars) or _line(one, chars) or f"item {number}"
        for number, (title, one) in enumerate(named, start=1)
    ]


def _line(text: str | None, chars: int) -> str:
    """A text on one line, cut, without characters that are not shown."""
    # Cut first and wide: blanks that go may be many, but not every text is looked at in full.
    shown = inert((text or "")[: 4 * chars]).replace("\ufffd", "")
    return " ".join(shown.split())[:chars]


class _Plain:
    """A tokenizer that reads texts as the letters they are written in."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer: Any = tokenizer
        ends = (tokenizer.eos_token_id, tokenizer.sep_token_id)
        end = next((int(one) for one in ends if isinstance(one, int)), None)
        if end is None:
            what = "The tokenizer has no token that ends a text, so no title would have an end."
            fix = "Give a model whose tokenizer has an eos_token."
            raise BadInput(what, str(tokenizer.name_or_path or "the language model"), fix)
        self.end = end
        unknown = {tokenizer.unk_token_id} - {end}
        added = {
            number: token.content
            for number, token in self._tokenizer.added_tokens_decoder.items()
            if token.content.strip() and number not in unknown
        }
        self._marks = sorted(added.values(), key=len, reverse=True)
        self._refused = {*added, *tokenizer.all_special_ids, end} - unknown

    def of(self, texts: list[str]) -> Iterator[list[int]]:
        """Tokens of each text, none of which is a mark."""
        for text, tokens in zip(texts, self._tokens(texts), strict=True):
            kept = tokens
            if not self._refused.isdisjoint(kept):  # a mark that is matched before letters are
                kept = self._tokens([_apart(text, self._marks)])[0]
            yield [token for token in kept if token not in self._refused]

    def opening(self) -> list[int]:
        """What a prompt begins with, after the mark that the tokenizer begins texts with."""
        (tokens,) = self._tokens([OPENING], add_special_tokens=True)
        while tokens and tokens[-1] in {self.end, self._tokenizer.sep_token_id}:
            tokens = tokens[:-1]
        return tokens or [self.end]

    def _tokens(self, texts: list[str], add_special_tokens: bool = False) -> list[list[int]]:
        if not texts:
            return []
        options = {"add_special_tokens": add_special_tokens, "split_special_tokens": True}
        with quiet():
            tokens: list[list[int]] = self._tokenizer(texts, **options)["input_ids"]
        return tokens


def _apart(text: str, marks: list[str]) -> str:
    """A text in which no mark stands, for a blank after its first letter."""
    for mark in marks:
        text = text.replace(mark, f"{mark[0]} {mark[1:]}")
    return text
