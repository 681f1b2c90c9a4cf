"""A model of pictures and texts, opened: vectors of a catalogue, search in it, captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from tastemaker.data.item_pictures import ItemPictures, Wanted, Words
from tastemaker.data.picture_rows import Look, read_item_pictures
from tastemaker.errors import BadInput
from tastemaker.index.vectors import VectorIndex, make_index
from tastemaker.models.cached import Cached
from tastemaker.models.packaged import cache_folder, locate
from tastemaker.models.picture_files import bytes_of, looked_at
from tastemaker.models.pictures import square
from tastemaker.models.vlm import Asked
from tastemaker.models.vlm_vectors import PictureTextEncoder
from tastemaker.run.embed_config import CAPTION_PROMPT
from tastemaker.run.embed_folder import MODEL, finished, is_run
from tastemaker.run.embed_pairs import fitted_texts

Side = Literal["picture", "text", "both"]
"""What an item's vector is made of; both: the mean of the two, at length one."""
Vectors = npt.NDArray[np.float32]
_TOGETHER = 32
"""Pictures that are decoded for captions at a time."""


@dataclass(frozen=True)
class FoundItem:
    """An item that a query found."""

    item_id: str
    title: str
    score: float
    """cosine of its vector and the query's"""
    picture: str
    """path of its picture; empty where only its text was read"""


@dataclass(frozen=True, eq=False)
class ItemVectors:
    """N items of a catalogue with their vectors."""

    items: ItemPictures
    vectors: Vectors
    """(N, d), rows of length one"""
    cut: int
    """texts that were longer than the model reads, and cut"""
    model: OpenedEmbedding

    @cached_property
    def index(self) -> VectorIndex:
        """What finds them."""
        return make_index(self.vectors)

    def search(self, query: str | Path | Any, k: int = 10) -> list[FoundItem]:
        """The items nearest to a query, best first.

        Args:
            query: A text; or a picture: a `Path`, PIL's, or (H, W, 3) bytes.
            k: At least 1.

        Raises:
            BadInput: If it cannot be read.
        """
        try:
            vector = self.model.encoder([query])
        except BadInput as error:
            if isinstance(query, str):
                what = error.what.replace("Row 0 has", "What is looked for has")
                raise BadInput(what, "the query", "Give fewer words.") from None
            raise
        numbers, scores = self.index.search(vector, min(k, len(self.items)) if k > 0 else k)
        return [
            self._found(int(n), float(score))
            for n, score in zip(numbers[0], scores[0], strict=True)
        ]

    def _found(self, number: int, score: float) -> FoundItem:
        items = self.items
        picture = str(items.paths[number]) if items.paths else ""
        cosine = max(-1.0, min(1.0, score))  # products of unit vectors, but for rounding
        return FoundItem(items.item_ids[number], items.titles[number], cosine, picture)


@dataclass(frozen=True, eq=False)
class OpenedEmbedding:
    """A model that finds and tells."""

    name: str
    encoder: PictureTextEncoder
    words: Words
    """which words of an item its text vector is made of, by default"""
    prompt: str
    """what is asked of a picture where a caption is wanted"""
    data: str
    """the catalogue it was trained on; empty: not known"""
    warnings: tuple[str, ...] = ()
    """what should be known before its captions are believed"""

    @cached_property
    def cached(self) -> Cached:
        """The encoder, looking up what was encoded before."""
        return Cached(self.encoder, cache_folder() / "vectors")

    def catalogue(
        self, data: Any, side: Side = "picture", bad_rows: Path | None = None
    ) -> ItemVectors:
        """The items of a catalogue with their vectors, each encoded once and then looked up.

        Args:
            data: A folder with an items table, such a table alone, or one in memory.
            side: What vectors are made of.
            bad_rows: Leave bad rows out and write them to this file.

        Raises:
            BadData: With every problem found.
        """
        if side not in get_args(Side):
            fix = f"Give one of {', '.join(get_args(Side))}."
            raise BadInput(f"No side of an item is called {side!r}.", "--side", fix)
        read = _Reading(self, data, side, bad_rows)
        try:
            return read.with_look(bytes_of)
        except BadInput:  # looks at every picture, so that all that is wrong is told at once
            return read.with_look(looked_at)

    def asking(self, prompt: str) -> OpenedEmbedding:
        """The same, asking something else of a picture where a caption is wanted."""
        return replace(self, prompt=prompt)

    def captions(self, pictures: Sequence[Path | str], most: int = 48) -> list[str]:
        """What the model writes of pictures.

        Args:
            pictures: Their files.
            most: Tokens of a caption.

        Raises:
            BadInput: If one cannot be read, or a caption so long has no room.
        """
        if isinstance(pictures, str | Path):
            raise BadInput("One picture was given for a list.", "pictures", "Put it into a list.")
        vision, said = self.encoder.vision, list[str]()
        for start in range(0, len(pictures), _TOGETHER):
            some = pictures[start : start + _TOGETHER]
            rows = [Asked(self.prompt, square(path, vision.picture_side, 0)) for path in some]
            if 0 < (room := vision.room(rows[0])) < most <= vision.most_tokens:
                what = f"{most:,} tokens are to be written where {room:,} have room."
                raise BadInput(what, "--max-tokens", f"Give at most {room:,}.")
            said += vision.write(rows, most)
        return [" ".join(one.split()) for one in said]


def open_embedding(name: str | Path, device: str = "cpu") -> OpenedEmbedding:
    """Open what `tastemaker embed train` made, or any vision-language model of this machine.

    Args:
        name: A run, or what `packaged.locate` takes.
        device: Where torch computes.

    Raises:
        BadInput: If there is no such model, or it is of another kind.
        ArtefactError: If the run is unfinished or damaged.
    """
    folder = Path(name)
    if not is_run(folder):
        encoder = PictureTextEncoder(locate(name), device=device)
        return OpenedEmbedding(str(name), encoder, "auto", CAPTION_PROMPT, "")
    results = finished(folder)
    encoder = PictureTextEncoder(folder / MODEL, device=device)
    return OpenedEmbedding(
        str(name),
        encoder,
        results["wanted"]["text"],
        results["caption_prompt"],
        _catalogue_of(results["data"]),
        _doubts(results["cafe"]),
    )


def _catalogue_of(data: dict[str, Any]) -> str:
    """Where the catalogue stands that was learned from; as it was named, where all has moved."""
    path = str(data.get("path", ""))
    return path if path and Path(path).exists() else str(data["name"])


@dataclass(frozen=True)
class _Reading:
    """A catalogue that is to be encoded."""

    model: OpenedEmbedding
    data: Any
    side: Side
    bad_rows: Path | None

    def with_look(self, look: Look) -> ItemVectors:
        """The items and their vectors; what was encoded before is not decoded again."""
        seen, told = self.side != "text", self.side != "picture"
        wanted = Wanted(self.model.words, self.model.words, seen, told)
        items, cut = read_item_pictures(self.data, wanted, look, self.bad_rows), 0
        parts = []
        if seen:
            parts.append(self.model.cached(list(items.paths)))
        if told:
            encoder = self.model.encoder
            items, cut = fitted_texts(items, encoder.vision, encoder.embedding)
            parts.append(self.model.cached(list(items.texts)))
        vectors = parts[0] if len(parts) == 1 else _between(*parts)
        return ItemVectors(items, vectors, cut, self.model)


def _doubts(cafe: dict[str, Any]) -> tuple[str, ...]:
    told = []
    if not cafe["alpha_lm"]:
        told.append("This model learned vectors alone: what it writes of a picture means little.")
    if not cafe["alpha_con"]:
        told.append("This model learned captions alone: what its vectors find means little.")
    return tuple(told)


def _between(pictures: Vectors, texts: Vectors) -> Vectors:
    """(N, d) means of both sides, at length one."""
    sums = pictures + texts
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), pictures)
