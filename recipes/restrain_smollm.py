"""SmolLM2-135M learns from its own answers with adapters: the real path, in twenty CPU-minutes.

As many steps as the time allows, of two prompts and eight answers each: far too few to learn
anything, so no figure here is evidence of what RESTRAIN does. The toy takes a model of a moment.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from evidence import Evidence, size_of
from restrain_arithmetic import says
from restrain_language import exercise
from restrain_pretrained import Small, Task, pretrained

from tastemaker import files, records
from tastemaker.reinforce.answers import Answers
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.prompts import arithmetic_prompts
from tastemaker.reinforce.reading import Reading
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import SignalConfig
from tastemaker.run.reinforce import reinforce
from tastemaker.run.reinforce_results import Exercise, ReinforceConfig
from tastemaker.worlds.arithmetic import ArithmeticOptions, arithmetic

PROMPTS, RANK, TRIED = 16, 8, 3
SECONDS = 900
"""For steps; what is left of the twenty minutes goes to answers before and after."""
MONITORS = ("majority", "distinct", "unreadable", "penalised", "entropy", "length")
BEFORE, AFTER = "SmolLM2-135M", "SmolLM2-135M, RESTRAIN"


def affordable(config: ReinforceConfig, prompts: Exercise, read: Reading, cache: Path) -> int:
    """Steps that the time allows, by the pace of a few; kept, since a run goes on with as many."""
    path = cache / "steps.json"
    if not path.is_file():
        trial = replace(config, learning=replace(config.learning, steps=TRIED))
        run = cache / "trial"
        reinforce(trial, prompts, None, read, str(run), (run / "config.json").is_file())
        pace = [float(str(line["seconds"])) for line in records.read(run / "metrics.jsonl")[1:]]
        files.write_json(path, {"steps": max(1, int(SECONDS / np.mean(pace)))})
    return int(files.read_json(path)["steps"])


def main() -> None:
    """Reinforce, and say what was measured before and after."""
    size, began = size_of(__doc__ or ""), time.process_time()
    found = Evidence("restrain_smollm", "arXiv 2510.02172", "generated arithmetic", size, [0],
                     ("pass@1", *MONITORS))  # fmt: skip
    toy = size == "toy"
    many, model = (4, "") if toy else (PROMPTS, "smollm2")
    world = arithmetic(ArithmeticOptions(train=many, held_out=many, largest=20))
    prompts, held_out = arithmetic_prompts(world.train), arithmetic_prompts(world.held_out)
    if not model:
        files.make_folder(found.cache)
        task = Task(prompts, [], [], [], says)
        model = str(pretrained(found.cache / "pretrained", task, Small(steps=2), 0))
    learning = LearningConfig(
        n=8, prompts_per_step=2, steps=2, lr=1e-4, beta=0.0, max_tokens=24, micro=8,
        save_every=5,
    )  # fmt: skip
    votes = RestrainConfig(normalise_prompt_weights="mean")
    config = ReinforceConfig(model, "restrain", RANK, learning, SignalConfig(votes), base_n=8)
    run = found.cache / "run"
    with Answers() as answers:
        learnt, read = exercise("learnt", prompts), Reading(answers)
        if not toy:
            steps = affordable(config, learnt, read, found.cache)
            config = replace(config, learning=replace(learning, steps=steps))
        begun = (run / "config.json").is_file()
        reinforce(config, learnt, exercise("held out", held_out), read, str(run), begun)
    lines = records.read(run / "metrics.jsonl")
    for arm, when, part in ((BEFORE, "before", lines[:5]), (AFTER, "after", lines[-5:])):
        values = {name: np.array([np.mean([float(str(line[name])) for line in part])])
                  for name in MONITORS}  # fmt: skip
        shares = files.read_json(run / f"accuracy-{when}.json")["shares"]
        found.add(arm, {"pass@1": np.array(shares), **values})
    found.notes.append(f"{len(lines)} steps show the path, and are no evidence of what it learns")
    found.relate("S", "it is right more often after so few steps", AFTER, BEFORE, "pass@1")
    found.spent(time.process_time() - began)
    print(found.write())


if __name__ == "__main__":
    main()
