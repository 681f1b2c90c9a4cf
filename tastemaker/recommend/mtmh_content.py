"""What is known of items beside their events: vectors of texts and pictures, and categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput, NumericFault
from tastemaker.models.cached import Cached
from tastemaker.models.encode import TextEncoder
from tastemaker.models.identity import identity_of
from tastemaker.models.packaged import cache_folder
from tastemaker.recommend.mtmh_shape import OWN
from tastemaker.seams import Encode


@dataclass(frozen=True, eq=False)
class Content:
    """Of n items: I of the log in the order of their codes, then those it never saw."""

    vectors: Tensor
    """(1 + n, c) float32, rows of length one, or zero where nothing is known; row 0 is padding"""
    bounds: Tensor
    """(1 + n + 1,) int64, the groups of an item are `members[bounds[i] : bounds[i + 1]]`"""
    members: Tensor
    """flat int64 numbers of groups"""
    seen: Tensor
    """(1 + n,) bool, items that follow or are followed by another one in training"""
    num_groups: int = 0
    """G"""
    identity: str = ""
    """hex sha256 of what encodes texts and pictures; empty: nothing"""

    @classmethod
    def bare(cls, width: int, num_groups: int) -> Content:
        """Content of no item, to shape a model that has its vectors already."""
        none = torch.zeros(0, dtype=torch.int64)
        return cls(torch.zeros(0, width), none, none, none.bool(), num_groups)

    @property
    def width(self) -> int:
        """c, the length of a vector; 0: neither texts nor pictures."""
        return self.vectors.shape[1]

    def to(self, device: torch.device) -> Content:
        """The same on another device."""
        if self.vectors.device == device:
            return self
        tensors = (self.vectors, self.bounds, self.members, self.seen)
        vectors, bounds, members, seen = (one.to(device) for one in tensors)
        return Content(vectors, bounds, members, seen, self.num_groups, self.identity)

    def groups_of(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Groups of some items one after another, and where each item's begin among them."""
        starts, counts = self.bounds[codes], self.bounds[codes + 1] - self.bounds[codes]
        offsets = counts.cumsum(0) - counts
        shift = (starts - offsets).repeat_interleave(counts)
        return self.members[torch.arange(len(shift), device=codes.device) + shift], offsets


def content_of(encoder: str, ground: Ground, pictures: str = "none") -> Content:
    """What is known of the items of a log and of its catalogue.

    Args:
        encoder: As `MTMHConfig.encoder`.
        ground: Items, their catalogue and their training events; without events all count as seen.
        pictures: As `MTMHConfig.pictures`.

    Raises:
        BadData: With every picture that cannot be read.
        BadInput: If an encoder is named and no item has a text, or a picture, or it is not on this
            machine.
        NumericFault: If the encoder gives values that are not finite.
    """
    frame = pl.concat([_of_log(ground), ground.unseen.frame])
    known = Catalog(frame, ground.catalog.folder or ground.unseen.folder)
    count = len(known.frame)
    vectors, identity = _joined(text_vectors(encoder, known), pictures, known)
    seen = np.ones(count + 1, np.bool_)
    seen[0], seen[1 + ground.num_items :] = False, False
    if ground.train is not None:
        seen &= np.isin(np.arange(count + 1), ground.train.items[_beside_another(ground.train)])
    bounds, members, num_groups = _groups(known)
    return Content(
        torch.from_numpy(np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), vectors])),
        torch.from_numpy(bounds),
        torch.from_numpy(members),
        torch.from_numpy(seen),
        num_groups,
        identity,
    )


def _joined(
    texts: tuple[npt.NDArray[np.float32], str], pictures: str, known: Catalog
) -> tuple[npt.NDArray[np.float32], str]:
    """(n, c) texts beside pictures, each half of what is known of an item that has both."""
    if pictures == "none":
        return texts
    from tastemaker.models.picture_content import picture_vectors  # opens a model of pictures

    seen, looked = picture_vectors(pictures, known)
    if not looked:
        return texts
    both = np.concatenate([texts[0], seen], axis=1)
    lengths = np.linalg.norm(both, axis=1, keepdims=True)
    both = np.where(lengths > 0, both / np.maximum(lengths, 1e-12), 0).astype(np.float32)
    return both, identity_of(looked, {"texts": texts[1]})


def refuse_alone(train: Contexts) -> None:
    """Refuse events among which nothing follows anything else.

    Raises:
        BadInput: If no user has two different items.
    """
    if not _beside_another(train).any():
        what = "No user has two different items to train on, so nothing follows anything."
        fix = "Give longer histories, or a split that leaves more of them to training."
        raise BadInput(what, "training events", fix)


def _beside_another(train: Contexts) -> npt.NDArray[np.bool_]:
    """(E,) events right before or after one of another item: those that some pair is made of."""
    follows: npt.NDArray[np.bool_] = np.diff(train.items, prepend=0) != 0
    follows[train.offsets[:-1][train.lengths > 0]] = False
    beside: npt.NDArray[np.bool_] = follows | np.append(follows[1:], False)
    return beside


def _of_log(ground: Ground) -> pl.DataFrame:
    """I rows of the catalogue; rows of nulls where nothing is known about the items."""
    frame = ground.catalog.frame
    return frame if len(frame) else frame.clear(ground.num_items)


def text_vectors(encoder: str, catalog: Catalog) -> tuple[npt.NDArray[np.float32], str]:
    """(n, c) vectors of length one or zero, and the encoder's identity."""
    # Words are counted, so names of columns must not be among them; a language model reads those.
    parts = pl.col("title"), pl.col("categories").list.join(" "), pl.col("text")
    joined = pl.concat_str(parts, separator=" ", ignore_nulls=True).str.strip_chars()
    texts = catalog.frame.select(joined).to_series().to_list()
    rows = np.flatnonzero([bool(text) for text in texts])
    if encoder not in OWN:
        texts = catalog.texts()
    if encoder == "none" or (encoder == "auto" and not len(rows)):
        return np.zeros((len(texts), 0), np.float32), ""
    if not len(rows):
        fix = "Give titles, texts or categories, or --model.encoder none."
        what = f"No item has a text for the encoder {encoder!r} to read."
        raise BadInput(what, "the items table", fix)
    written = [texts[row] for row in rows]
    encode = _opened(encoder, written)
    vectors = np.zeros((len(texts), encode.dim), np.float32)
    vectors[rows] = encode(written)
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(1))[0])
        what = f"The encoder {encoder!r} gives a vector that is not finite."
        raise NumericFault(what, f"text {texts[row]!r:.80}", "Use another encoder.")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > 0, vectors / np.maximum(lengths, 1e-12), 0), encode.identity


def _opened(encoder: str, texts: list[str]) -> Encode:
    if encoder in ("auto", "words"):
        from tastemaker.models.words import Words  # opening a run needs none of it

        return Words(texts)
    return Cached(TextEncoder(encoder), cache_folder() / "vectors")


def _groups(catalog: Catalog) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Bounds, with an empty row 0 before the items; numbers of groups; and how many there are."""
    count = len(catalog.frame)
    if not catalog.frame["categories"].drop_nulls().list.len().sum():
        return np.zeros(count + 2, np.int64), np.zeros(0, np.int64), 0
    grouping = Grouping.from_categories(catalog, catalog.frame["item_id"])
    held = grouping.membership
    bounds = np.concatenate([[0], held.indptr]).astype(np.int64)
    return bounds, held.indices.astype(np.int64), grouping.num_groups
