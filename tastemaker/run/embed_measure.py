"""What a model finds and tells of pictures that it has not seen: ranks, losses, captions, gap."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from tastemaker.data.item_pictures import ItemPictures
from tastemaker.embed.cafe import CAFe
from tastemaker.embed.fluency import exact, log_losses, perplexity
from tastemaker.embed.modality import modality_gap
from tastemaker.embed.retrieval import KS, Ranks, ranks
from tastemaker.errors import NumericFault
from tastemaker.files import JsonObject
from tastemaker.metrics.intervals import Interval, interval
from tastemaker.models.pictures import square
from tastemaker.models.vlm import Asked, Picture
from tastemaker.models.vlm_embedding import Side, picture_asked, text_asked

Vectors = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ROWS = 32
"""Rows of a forward pass that measures."""
VALIDATED = 500
"""Most items that an epoch is validated on."""
LONGEST = 48
"""Most tokens of a caption that is written; fewer where a model has no room for them."""


@dataclass(frozen=True, eq=False)
class Told:
    """What was measured of captions that a model did not learn from."""

    sums: Floats
    """(N,) cross-entropy of each true caption, summed over its tokens, in nats"""
    tokens: Floats
    """(N,) its tokens"""


@dataclass(frozen=True, eq=False)
class Measured:
    """A model measured on the items of one part."""

    places: npt.NDArray[np.int64]
    """(P,) item of each different picture"""
    pictures: Vectors
    """(P, d)"""
    texts: Vectors
    """(N, d)"""
    ranks: Ranks
    told: Told
    written: tuple[str, ...]
    """captions of the first items"""

    def cells(self, items: ItemPictures) -> JsonObject:
        """Every measure with its 95 % interval, over items."""
        cells = {name: interval(hits) for name, hits in self.ranks.hits().items()}
        told = {name: cell.to_json() for name, cell in cells.items()}
        loss = interval(log_losses(self.told.sums, self.told.tokens))
        told["perplexity"] = _exponential(loss)
        if self.written:
            right = items.captions[: len(self.written)]
            told["exact"] = interval(exact(self.written, right)).to_json()
        told["gap"] = {"mean": modality_gap(self.pictures, self.texts[self.places])}
        return told


def measured(cafe: CAFe, items: ItemPictures, prompt: str, written: int) -> Measured:
    """Measure a model.

    Args:
        cafe: The model.
        items: It did not learn from.
        prompt: What is asked where a caption is wanted.
        written: Most captions that it writes.
    """
    places, pictures, texts, found = _retrieved(cafe, items)
    told = _told(cafe, items, prompt, each=True)
    said = captions(cafe, items.rows(range(min(written, len(items)))), prompt)
    return Measured(places, pictures, texts, found, told, tuple(said))


def validated(cafe: CAFe, items: ItemPictures, prompt: str) -> dict[str, float]:
    """What `fit` chooses weights by, on the items of a part."""
    some = items.rows(range(min(VALIDATED, len(items))))
    *_, found = _retrieved(cafe, some)
    told = _told(cafe, some, prompt, each=False)
    recall = found.recall()
    both = (recall["i2t_recall@1"] + recall["t2i_recall@1"]) / 2
    height = perplexity(told.sums, told.tokens)
    likelihood = 0.0 if math.isinf(height) else 1 / height
    return {
        "recall@1": both,
        "likelihood": likelihood,
        "joint": (both + likelihood) / 2,
        "perplexity": min(height, 1e9),
        **{name: value for name, value in recall.items() if not name.endswith("@1")},
    }


def chances(items: ItemPictures) -> dict[str, float]:
    """Recall of a model that knows nothing and ranks by chance, each way."""
    _, owners = np.unique(np.array(items.hashes), return_inverse=True)
    _, groups = np.unique(np.array(items.texts), return_inverse=True)
    owns = np.zeros((owners.max() + 1, groups.max() + 1), np.bool_)
    owns[owners, groups] = True
    sides = {"i2t": (owns @ np.bincount(groups), len(groups)),
             "t2i": (owns.sum(0)[groups], len(owns))}  # fmt: skip
    return {
        f"{side}_recall@{k}": float((1 - _missed(right, many, k)).mean())
        for side, (right, many) in sides.items()
        for k in KS
    }


def _missed(right: npt.NDArray[np.int64], many: int, k: int) -> Floats:
    """Chance that none of the right ones is among the first `k` of `many`."""
    drawn = np.arange(min(k, many))
    shares = (many - right[:, None] - drawn).clip(min=0) / (many - drawn)
    missed: Floats = shares.prod(1)
    return missed


def captions(cafe: CAFe, items: ItemPictures, prompt: str) -> list[str]:
    """What a model writes of pictures."""
    said = []
    for start in range(0, len(items), ROWS):
        rows = range(start, min(start + ROWS, len(items)))
        asked = [Asked(prompt, _seen(cafe, items, row)) for row in rows]
        said += cafe.vision.write(asked, min(LONGEST, cafe.vision.room(asked[0])))
    return [" ".join(one.split()) for one in said]


def vectors(cafe: CAFe, count: int, asked: Callable[[int], Asked], side: Side) -> Vectors:
    """(N, d) unit vectors of N turns.

    Args:
        cafe: The model.
        count: N.
        asked: Gives a turn by its number.
        side: `picture` or `text`.
    """
    parts = []
    with torch.inference_mode():
        for start in range(0, count, ROWS):
            rows = cafe.vision.rows([asked(n) for n in range(start, min(start + ROWS, count))])
            parts.append(cafe.vectors(rows, side).cpu().numpy())
    made = np.concatenate(parts)
    _refuse_broken(made, f"vectors of {side}s")
    return made


def _refuse_broken(values: npt.NDArray[np.floating], which: str) -> None:
    """Refuse what a training that came apart gives.

    Raises:
        NumericFault: If a value is not finite.
    """
    if not np.isfinite(values).all():
        fix = "Train with a lower learning rate; the last checkpoint is sound."
        raise NumericFault("The model gives values that are not finite.", which, fix)


def _retrieved(
    cafe: CAFe, items: ItemPictures
) -> tuple[npt.NDArray[np.int64], Vectors, Vectors, Ranks]:
    """Where each different picture first stands, its vectors, those of texts, and ranks."""
    embedding = cafe.config.embedding
    _, places, owners = np.unique(np.array(items.hashes), return_index=True, return_inverse=True)
    pictures = vectors(
        cafe, len(places),
        lambda n: picture_asked(_seen(cafe, items, places[n]), embedding), "picture",
    )  # fmt: skip
    texts = vectors(cafe, len(items), lambda n: text_asked(items.texts[n], embedding), "text")
    return places, pictures, texts, ranks(pictures, texts, owners, items.texts)


def _told(cafe: CAFe, items: ItemPictures, prompt: str, each: bool) -> Told:
    """Losses of captions, one by one, or a forward pass at a time."""
    sums: list[float] = []
    tokens: list[float] = []
    with torch.inference_mode():
        for start in range(0, len(items), ROWS):
            some = range(start, min(start + ROWS, len(items)))
            rows = cafe.vision.rows(
                [Asked(prompt, _seen(cafe, items, n), items.captions[n]) for n in some]
            )
            parts = [rows.take(n, n + 1) for n in range(len(rows))] if each else [rows]
            for part in parts:
                loss, many = cafe.vision.answer_loss(part)
                sums.append(float(loss))
                tokens.append(float(many))
    _refuse_broken(np.array(sums), "losses of captions")
    return Told(np.array(sums), np.array(tokens))


def _seen(cafe: CAFe, items: ItemPictures, row: int) -> Picture:
    return square(items.paths[row], cafe.vision.picture_side, row)


def _exponential(cell: Interval) -> JsonObject:
    """Perplexity of a mean loss; beyond what is worth telling, as much as that."""
    ends = [math.exp(min(end, 20.0)) for end in (cell.mean, *cell.ci95)]
    return cell.to_json() | {"mean": ends[0], "ci95": ends[1:], "seed_sd": 0.0}
