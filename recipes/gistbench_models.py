"""A small language model and three baselines on twenty planted users, without any judge.

SmolLM2-135M writes JSON by construction, with the thresholds in its prompt and without them. Every
cited item of the history counts as relevant and each interest is a category of its own, so that IG
is at most as good as shown. The toy asks a script in its place.
"""

import sys
import time
from dataclasses import replace

from evidence import Evidence, size_of
from gistbench_arms import asked, by_itself

from tastemaker.data.signals import Signals
from tastemaker.models.generate import Scripted, opened
from tastemaker.models.request_cache import Cached
from tastemaker.understand.baselines import BASELINES, Baseline
from tastemaker.understand.extract import ExtractOptions, LanguageModel
from tastemaker.understand.task_paths import planted_task
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

METRICS = ("ig_p", "ig_r", "validity", "compliance", "exact", "interests", "read")
OPTIONS = ExtractOptions(noun="videos", max_tokens=400)
WITH, WITHOUT = "SmolLM2-135M", "SmolLM2-135M, thresholds left out"


def language_models(found: Evidence, texts: dict[str, str], known: Signals) -> list[LanguageModel]:
    """The two variants, whose replies are kept."""
    said = (
        '[{"interest": "Tea", "item_ids": ["i1"], "evidence_excerpt": "", "brief_rationale": ""}]'
    )
    model = Scripted(lambda *_: said) if found.size == "toy" else opened("smollm2")
    kept = Cached(model, found.cache / "replies.sqlite")
    return [
        LanguageModel.constrained(kept, name, texts, known.kinds, replace(OPTIONS, thresholds=told))
        for name, told in ((WITH, True), (WITHOUT, False))
    ]


def main() -> None:
    """Ask everybody about the same users."""
    size, began = size_of(__doc__ or ""), time.process_time()
    users = 3 if size == "toy" else 20
    planted = plant_users(PlantedOptions(users=users, length=60, events=6))
    task = replace(planted_task(planted), taxonomy=None, categories={})
    found = Evidence("gistbench_models", "arXiv 2603.29112", "planted users", size, [0], METRICS)
    baselines = [Baseline(name, task) for name in BASELINES]
    for model in (*language_models(found, planted.texts, task.signals), *baselines):
        found.add(model.name, by_itself(asked(task, model, None)))
    read = found.values[WITH]["read"][0].mean()
    if read < 0.2:
        found.notes.append(f"R3 is not measured: {read:.0%} of the replies could be read")
    else:
        found.relate("R3", "the thresholds in the prompt raise IG_P", WITH, WITHOUT, "ig_p")
    for metric in ("validity", "exact"):
        found.relate("R2", "counting in code is above SmolLM2", "counting", WITH, metric)
    found.spent(time.process_time() - began)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
