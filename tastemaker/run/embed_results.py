"""What a training of pictures and texts has to tell: what was learned from, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemaker.config import to_json
from tastemaker.counts import by_count, counted
from tastemaker.data.item_pictures import TEST, TRAIN, VALIDATION, ItemPictures
from tastemaker.embed.cafe import CAFe
from tastemaker.files import JsonObject
from tastemaker.run.embed_config import EmbedConfig
from tastemaker.run.embed_folder import KIND
from tastemaker.run.embed_measure import Measured, chances
from tastemaker.run.embed_pairs import Cut
from tastemaker.train.loop import Fitted

SHOWN, BESIDE = 6, 5
"""Examples of captions on the page, and pictures found for a text there."""
_FEW = 30
"""Items of a test below which its numbers are hardly any."""


@dataclass(frozen=True, eq=False)
class Learned:
    """A catalogue in its parts, and what was done to it."""

    items: ItemPictures
    parts: npt.NDArray[np.int64]
    cut: Cut

    def part(self, which: int) -> ItemPictures:
        """The items of one part."""
        return self.items.rows(np.flatnonzero(self.parts == which))


def results_of(config: EmbedConfig, data: Learned, cafe: CAFe, fitted: Fitted) -> JsonObject:
    """What was learned from, by what and how."""
    items = data.items
    model = config.model if isinstance(config.model, str) else to_json(config.model)
    return {
        "kind": KIND,
        "model": {
            "name": config.model if isinstance(config.model, str) else "tiny",
            "shape": None if isinstance(model, str) else model,
            "sha256": cafe.vision.identity,
            "parameters": sum(one.numel() for one in cafe.vision.model.parameters()),
            "dim": cafe.reader.dim,
            "chats": chats(cafe),
        },
        "data": {
            "name": items.file,
            "path": str(Path(items.file).absolute()),
            "sha256": items.sha256,
            "items": len(items),
            "train": int((data.parts == TRAIN).sum()),
            "validation": int((data.parts == VALIDATION).sum()),
            "test": int((data.parts == TEST).sum()),
            "dropped": items.dropped,
            "doubles": items.doubles(),
            "cut": to_json(data.cut),
        },
        "cafe": to_json(config.cafe),
        "fit": to_json(config.fit),
        "wanted": to_json(config.wanted),
        "shares": to_json(config.shares),
        "caption_prompt": config.caption_prompt,
        "training": to_json(fitted) | {"metric": config.fit.metric},
        "chance": chances(data.part(TEST)),
    }


def chats(cafe: CAFe) -> bool:
    """Whether the model came with a chat template."""
    processor = cafe.vision.processor
    return bool(processor.chat_template or processor.tokenizer.chat_template)


def warnings_of(results: Mapping[str, Any]) -> list[str]:
    """What a reader should know before believing the rest.

    Args:
        results: What is told already.
    """
    data, cafe = results["data"], results["cafe"]
    told = [*_of_data(data, bool(cafe["mask_equal"]))]
    if not cafe["alpha_lm"]:
        told.append("Captions were not learned (alpha-lm 0): what it writes means little.")
    if not cafe["alpha_con"]:
        told.append("Vectors were not learned (alpha-con 0): what it finds means little.")
    if not results["model"]["chats"]:
        told.append("The model has no chat template: it reads the picture, a line's end, the text.")
    recall, chance = results["after"]["t2i_recall@1"], results["chance"]["t2i_recall@1"]
    if cafe["alpha_con"] and chance >= 1:
        told.append("All texts of the test are equal, or it has one item: each answer is right.")
    elif cafe["alpha_con"] and recall["ci95"][0] <= chance:
        told.append(
            f"A text finds its picture in {recall['mean']:.1%} of cases, which chance does in "
            f"{chance:.1%}: train longer (--epochs), with a larger --batch, or on more items."
        )
    return told


def _of_data(data: Mapping[str, Any], masked: bool) -> list[str]:
    told = []
    if data["dropped"]:
        many, were = counted(data["dropped"], "bad row"), by_count(data["dropped"], "was", "were")
        told.append(f"{many} {were} left out.")
    if data["test"] < _FEW:
        told.append(f"The test has {counted(data['test'], 'item')}: look at the intervals.")
    for name, things in (("texts", "a text"), ("pictures", "a picture")):
        if many := data["doubles"][name]:
            how = "are no wrong answers to each other" if masked else "count as wrong answers"
            told.append(f"{counted(many, 'item')} share {things} with another; such {how}.")
    for name in ("texts", "captions"):
        if many := data["cut"][name]:
            word = f"{name[:-1]}"
            told.append(
                f"{counted(many, word)} {by_count(many, 'was', 'were')} longer than the model "
                "reads, and cut at the last word that fits."
            )
    return told


def examples_of(items: ItemPictures, after: Measured) -> JsonObject:
    """Captions beside the true ones, and what texts find, of the first test items."""
    some = range(min(SHOWN, len(items)))
    ranks = after.ranks.texts
    written = [
        {
            "item_id": items.item_ids[row],
            "title": items.titles[row],
            "picture": picture_name(items, row),
            "text": items.texts[row],
            "right": items.captions[row],
            "written": after.written[row] if row < len(after.written) else None,
            "rank": int(ranks[row]),
        }
        for row in some
    ]
    found = [
        {"text": items.texts[row], "found": [_found(items, row, at) for at in places]}
        for row, places in zip(some, _nearest(after, len(some)), strict=True)
    ]
    return {"captions": written, "found": found[: SHOWN // 2]}


def example_rows(items: ItemPictures, after: Measured) -> list[int]:
    """Items whose pictures the examples show."""
    many = min(SHOWN, len(items))
    found = _nearest(after, many)[: SHOWN // 2]
    return list(dict.fromkeys([*range(many), *(at for places in found for at in places)]))


def _nearest(after: Measured, many: int) -> list[list[int]]:
    """Items whose pictures lie nearest to each of the first texts."""
    scores = after.texts[:many] @ after.pictures.T  # (many, P)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :BESIDE]
    return [[int(after.places[place]) for place in row] for row in order]


def _found(items: ItemPictures, row: int, at: int) -> JsonObject:
    right = items.texts[at] == items.texts[row] or items.hashes[at] == items.hashes[row]
    return {
        "item_id": items.item_ids[at],
        "title": items.titles[at],
        "text": items.texts[at],
        "picture": picture_name(items, at),
        "right": right,
    }


def picture_name(items: ItemPictures, row: int) -> str:
    """File of an example's picture."""
    return f"{items.hashes[row][:16]}.jpg"
