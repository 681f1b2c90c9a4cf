"""What is counted of what models said, scene by scene, and what the recipe on CAFe claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from cafe_said import Said, asked, every_question
from cafe_world import captions, truth
from evidence import Evidence

from tastemaker.embed.fluency import log_losses
from tastemaker.embed.objects import Answers, Told, answers, told
from tastemaker.embed.retrieval import ranks
from tastemaker.metrics.comparisons import Difference, compare
from tastemaker.metrics.intervals import resampled_means
from tastemaker.worlds.scene_words import claims
from tastemaker.worlds.scenes import Scenes

Floats = npt.NDArray[np.float64]
MAIN = ("base", "LM-only", "contrastive-only", "CAFe", "contrastive, then LM")
METRICS = ("recall@1", "i2t_recall@1", "t2i_recall@1", "object_recall", "attribute_accuracy",
           "full", "hallucinated", "yes_no", "log_perplexity")  # fmt: skip
LESS, DOUBLE, MORE = ", less 2 points", ", twice the perplexity", ", 5 % more perplexity"
FLOORS = {"attribute_accuracy": 0.6, "yes_no": 0.65}
"""What LM-only must reach for its table to say something."""
CLAIMS = (
    ("R1", "CAFe is at most 2 points below contrastive-only",
     "CAFe", f"contrastive-only{LESS}", "recall@1"),
    ("R1", "CAFe finds more than LM-only", "CAFe", "LM-only", "recall@1"),
    ("G1", "captions: CAFe is at most 2 points below LM-only in things named",
     "CAFe", f"LM-only{LESS}", "object_recall"),
    ("G1", "captions: and in what is said of them",
     "CAFe", f"LM-only{LESS}", "attribute_accuracy"),
    ("G2", "yes or no: CAFe is at most 2 points below LM-only",
     "CAFe", f"LM-only{LESS}", "yes_no"),
    ("G3", "CAFe hallucinates fewer things a caption than LM-only",
     "LM-only", "CAFe", "hallucinated"),
    ("R2", "contrastive-only has more than twice the perplexity of LM-only",
     "contrastive-only", f"LM-only{DOUBLE}", "log_perplexity"),
    ("R2", "that of CAFe is within 5 % of LM-only's", f"LM-only{MORE}", "CAFe", "log_perplexity"),
    ("S1", "CAFe finds more than contrastive, then LM",
     "CAFe", "contrastive, then LM", "recall@1"),
    ("S1", "and is at most 2 points below it in things named",
     "CAFe", f"contrastive, then LM{LESS}", "object_recall"),
)  # fmt: skip


def captioned(said: Said, world: Scenes) -> Told:
    """What captions say of what is there."""
    return told(read(said, world), truth(world)[: len(said["captions"])])


def read(said: Said, world: Scenes) -> list[tuple[tuple[str, ...], ...] | None]:
    """Name, size and place of each thing that a caption claims; None: it cannot be read."""
    every = [claims(text, world.sprites.names) for text in said["captions"].tolist()]
    return [one and tuple((name, size, place) for size, name, place in one.things) for one in every]


def answered(said: Said, world: Scenes) -> dict[str, tuple[Answers, npt.NDArray[np.int64]]]:
    """Split → answers, and the scene that each is of."""
    splits = asked(world, len(said["captions"]))
    known = dict(zip(every_question(splits), said["answers"].tolist(), strict=True))
    found = {}
    for split, many in splits.items():
        written = [known[one.scene, one.text] for one in many]
        scenes = np.array([one.scene for one in many])
        found[split] = answers(written, [one.yes for one in many]), scenes
    return found


def by_scene(values: Floats, scenes: npt.NDArray[np.int64]) -> Floats:
    """Means of questions' values over those of each scene."""
    return np.asarray(np.bincount(scenes, values) / np.bincount(scenes), np.float64)


def scores(said: Said, world: Scenes) -> dict[str, Floats]:
    """Metric → value of each scene; recall is over all scenes, the others over those told of."""
    many = len(said["picture"])
    found = ranks(said["picture"], said["text"], range(many), captions(world)).hits()
    caption = captioned(said, world)
    splits = [by_scene(one.right, scenes) for one, scenes in answered(said, world).values()]
    return {
        **found,
        "recall@1": (found["i2t_recall@1"] + found["t2i_recall@1"]) / 2,
        "object_recall": caption.recall,
        "attribute_accuracy": caption.attributes,
        "full": caption.full,
        "hallucinated": caption.hallucinated,
        "yes_no": np.mean(splits, axis=0),
        "log_perplexity": log_losses(*said["losses"].T),
    }


def counts(said: Said, world: Scenes) -> Floats:
    """(U, 3) hits, false alarms and misses of yes, of all splits together, of each scene."""
    columns = []
    for one, scenes in answered(said, world).values():
        kinds = (one.yes & one.truth, one.yes & ~one.truth, ~one.yes & one.truth)
        columns.append(np.stack([np.bincount(scenes, kind) for kind in kinds], 1))
    return np.sum(columns, axis=0)


def f1(columns: Floats) -> Floats:
    """F1 of (…, 3) mean counts."""
    hits, alarms, misses = np.moveaxis(columns, -1, 0)
    return np.asarray(2 * hits / np.maximum(2 * hits + alarms + misses, 1e-12))


def gap(between: Floats) -> Floats:
    """Modality gaps of (…, d) mean differences of pictures' and texts' vectors."""
    return np.asarray(np.linalg.norm(between, axis=-1))


def of_means(
    a: Sequence[Floats], b: Sequence[Floats], value: Callable[[Floats], Floats]
) -> Difference:
    """A − B in what means over scenes give, scenes resampled.

    Args:
        a: (U, C) columns of each seed.
        b: The same scenes and seeds.
        value: (…, C) means → (…) what is compared.
    """
    both = np.stack([np.stack(a), np.stack(b)]).astype(np.float64)  # (2, S, U, C)
    shape = (2, both.shape[1], both.shape[3])
    table = both.transpose(2, 0, 1, 3).reshape(both.shape[2], -1)
    drawn = value(resampled_means(table, resamples=2_000).reshape(-1, *shape))
    low, high = np.percentile((drawn[:, 0] - drawn[:, 1]).mean(1), [2.5, 97.5])
    left, right = value(table.mean(0).reshape(shape))
    return Difference(
        difference=float((left - right).mean()),
        ci95=(float(low), float(high)),
        per_seed=tuple((left - right).tolist()),
        reference=float(right.mean()),
    )


def shifted(found: Evidence) -> None:
    """Add the arms that claims are made against: others with a margin."""
    for arm, metrics in (
        ("contrastive-only", ("recall@1",)),
        ("LM-only", ("object_recall", "attribute_accuracy", "yes_no")),
        ("contrastive, then LM", ("object_recall",)),
    ):
        for seed in range(len(found.seeds)):
            less = {metric: found.values[arm][metric][seed] - 0.02 for metric in metrics}
            found.add(f"{arm}{LESS}", less)
    for values in found.values["LM-only"]["log_perplexity"]:
        found.add(f"LM-only{DOUBLE}", {"log_perplexity": values + np.log(2)})
        found.add(f"LM-only{MORE}", {"log_perplexity": values + np.log(1.05)})


def relate(found: Evidence, said: Mapping[str, Sequence[Said]], world: Scenes) -> None:
    """State every claim.

    Args:
        found: Where the values of all arms are.
        said: Arm → what it said, a seed.
        world: The scenes that it was said of.
    """
    for claim in CLAIMS:
        found.relate(*claim)
    rows = {arm: [counts(one, world) for one in many] for arm, many in said.items()}
    for arm, many in rows.items():
        found.values[arm]["f1"] = [f1(one.mean(0)) for one in many]
    for a, b in (("CAFe", "LM-only"), ("LM-only", "contrastive-only")):
        found.state(
            "R3", f"yes or no: {a} is above {b}", a, b, "f1", of_means(rows[a], rows[b], f1)
        )
    splits = [answered(one, world) for one in said["CAFe"]]
    right = {
        name: np.stack([by_scene(one[name][0].right, one[name][1]) for one in splits])
        for name in splits[0]
    }
    for easy, hard in (("random", "adversarial"), ("popular", "adversarial"),
                       ("random", "lookalike"), ("adversarial", "lookalike")):  # fmt: skip
        words = f"CAFe: {hard} absentees are harder than {easy} ones"
        a, b = f"CAFe, {easy}", f"CAFe, {hard}"
        found.values |= {a: {"yes_no": [*right[easy]]}, b: {"yes_no": [*right[hard]]}}
        found.state("R3", words, a, b, "yes_no", compare(right[easy], right[hard]))
    apart = {arm: [one["picture"] - one["text"] for one in many] for arm, many in said.items()}
    for arm, between in apart.items():
        found.values[arm]["modality_gap"] = [gap(one.mean(0)) for one in between]
    measured = of_means(apart["LM-only"], apart["CAFe"], gap)
    words = "the gap between pictures and texts is smaller than LM-only's"
    found.state("R4", words, "LM-only", "CAFe", "modality_gap", measured)
