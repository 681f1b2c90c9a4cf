"""What the recipe on CAFe shows beside its claims: questions, captions and vectors of each arm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from cafe_arms import Kept
from cafe_said import Said
from cafe_scores import answered, captioned, read
from cafe_world import SPLITS, captions, truth

from tastemaker.embed.fluency import exact, perplexity
from tastemaker.embed.modality import alignment, modality_gap, uniformity
from tastemaker.embed.objects import class_wise
from tastemaker.embed.retrieval import ranks
from tastemaker.worlds.scenes import Scenes

Row = Mapping[str, float]
Tables = dict[str, dict[str, dict[str, float]]]


def asked_rows(said: Said, world: Scenes) -> dict[str, dict[str, float]]:
    """Split → accuracy, precision, recall, F1, and the shares of yes and of neither."""
    return {split: one.measures() for split, (one, _) in answered(said, world).items()}


def told_row(said: Said, world: Scenes) -> dict[str, float]:
    """Captions: things, attributes, classes together, and whole captions word by word."""
    there, many = truth(world), len(said["captions"])
    classes = class_wise(read(said, world), there[:many])
    return captioned(said, world).measures() | {
        "class-wise F_0.5": float(np.mean(list(classes.values()))),
        "exact": float(exact(said["captions"].tolist(), captions(world)[:many]).mean()),
        "perplexity": perplexity(*said["losses"].T),
    }


def vectors_row(said: Said, world: Scenes) -> dict[str, float]:
    """Recall both ways, and how vectors of pictures and texts lie to each other."""
    pictures, texts = said["picture"], said["text"]
    return ranks(pictures, texts, range(len(pictures)), captions(world)).recall() | {
        "gap": modality_gap(pictures, texts),
        "alignment": alignment(pictures, texts),
        "uniformity of pictures": uniformity(pictures),
        "uniformity of texts": uniformity(texts),
    }


ROWS: Mapping[str, Callable[[Said, Scenes], dict[str, float]]] = {
    "Vectors": vectors_row,
    "Captions": told_row,
}


def tables(said: Mapping[str, Sequence[Said]], world: Scenes, kept: Sequence[Kept]) -> Tables:
    """Title → arm → column → mean over seeds.

    Args:
        said: Arm → what it said, a seed.
        world: The scenes that it was said of.
        kept: What each seed cost.
    """
    found: Tables = {
        title: {arm: mean([row(one, world) for one in many]) for arm, many in said.items()}
        for title, row in ROWS.items()
    }
    found["Yes or no"] = {
        f"{arm}, {split}": mean([one[split] for one in rows])
        for arm, many in said.items()
        for rows in [[asked_rows(one, world) for one in many]]
        for split in SPLITS
    }
    found["CPU-seconds a seed"] = {
        arm: mean([
            {"learning": seed.cost(arm), "saying": float(one["cpu_seconds"])}
            for seed, one in zip(kept, many, strict=False)
        ])
        for arm, many in said.items()
    }  # fmt: skip
    return found


def mean(rows: Sequence[Row]) -> dict[str, float]:
    """Mean of rows, column by column."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
