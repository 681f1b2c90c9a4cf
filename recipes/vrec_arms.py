"""The arms of VRec's recipes: what is trained once and gone on from, what is measured, verdicts.

The first stage is trained once a seed and an architecture: NONE, PAUSE, and thoughts by their
number. Every arm goes on from the one of its own with as many epochs for the language model, those
with verifiers after a stage in which these alone learn. VREC-rand says the groups of VREC2 with the
items shuffled, so that classes have their sizes and mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from evidence import Evidence
from vrec_task import Task, thinking

from tastemaker.config import seed_everything
from tastemaker.data.groupings import Grouping
from tastemaker.recommend.counting import COUNTING
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_groups import Known
from tastemaker.recommend.vrec_languages import language_of
from tastemaker.recommend.vrec_shape import CHOSEN, TEXT, VRecConfig
from tastemaker.seams import Stage
from tastemaker.train.config import FitConfig

FLOOR = 0.9
BAR = f"{FLOOR} × SASRec"
"""Where no arm reaches it, the backbone is too weak to tell."""


class Begun(VRec):
    """The first stage alone."""

    def stages(self) -> Sequence[Stage]:
        """Reason."""
        return super().stages()[:1]


class GoneOn(VRec):
    """All that follows the first stage."""

    def stages(self) -> Sequence[Stage]:
        """Verify, both."""
        return super().stages()[1:]


@dataclass(frozen=True)
class Arm:
    """What differs from VREC2."""

    thoughts: int = 2
    verifiers: tuple[str, ...] = (TEXT, CHOSEN)
    thinking: str = "attention"
    feedback: bool = True
    gamma: float = 1.0
    shuffled: bool = False

    def shape(self, shape: VRecConfig) -> VRecConfig:
        """The model's options."""
        own = {name: value for name, value in vars(self).items() if name != "shuffled"}
        return replace(shape, **own)

    @property
    def begins(self) -> str:
        """Name of the first stage that it shares."""
        return f"{self.thinking if self.thoughts else 'none'}-{self.thoughts}"


ARMS = {
    "NONE": Arm(0, ()),
    "PAUSE": Arm(verifiers=(), thinking="constant"),
    "RATT": Arm(verifiers=()),
    "MULTITASK": Arm(feedback=False),
    "VREC1-sem": Arm(verifiers=(TEXT,)),
    "VREC1-cf": Arm(verifiers=(CHOSEN,)),
    "VREC2": Arm(),
    "VREC-rand": Arm(shuffled=True),
    "VREC-nomono": Arm(gamma=0.0),
}
MORE = {
    f"{name}, N = {count}": replace(ARMS[name], thoughts=count)
    for count in (1, 4)
    for name in ("RATT", "VREC2")
}


def shuffled(grouping: Grouping) -> Grouping:
    """Groups of the same sizes, of other items."""
    order = np.random.default_rng(0).permutation(grouping.membership.shape[0])
    return replace(grouping, membership=grouping.membership[order])


def trained(cache: Path, task: Task, known: Known, arm: Arm, name: str, seed: int) -> VRec:
    """An arm as it ends, on from the first stage of its architecture."""
    shape, training = arm.shape(task.shape), replace(task.training, seed=seed)
    make = shuffled if arm.shuffled else (lambda grouping: grouping)
    own = Known(known.ids, {one: make(known.groupings[one]) for one in shape.verifiers})
    seed_everything(seed)
    alone = replace(shape, verifiers=()), replace(own, groupings={})
    first = Begun(*alone, language_of(*alone, task.ground))
    task.fitted(first, training, cache / f"{arm.begins}-seed-{seed}")
    seed_everything(seed)
    model = GoneOn(shape, own, language_of(shape, own, task.ground))
    model.load_state_dict(model.state_dict() | first.state_dict())
    out = cache / f"{name.replace(', N = ', '-')}-seed-{seed}"
    more = replace(training, validate_every=2)
    task.fitted(model, more, out)
    return model


def beside(found: Evidence, task: Task, seed: int, sasrec: SASRecConfig, epochs: int) -> None:
    """SASRec and the counting models on the same rows."""
    seed_everything(seed)
    model = SASRec(sasrec, task.ground.num_items)
    training = FitConfig(epochs=epochs, batch=32, seed=seed)
    task.fitted(model, training, found.cache / f"SASRec-seed-{seed}")
    found.add("SASRec", task.measured(model))
    first = found.metrics[0]
    found.add(BAR, {first: FLOOR * found.values["SASRec"][first][-1]})
    for name, counting in COUNTING.items():
        found.add(name, task.measured(counting.fit(task.train, task.ground.num_items)))


def measure(found: Evidence, task: Task, arms: Mapping[str, Arm], cache: Path) -> None:
    """Train some arms, or read those that lie in `cache`, and ask them, a seed at a time."""
    known = task.known()
    for seed in found.seeds:
        for name, arm in arms.items():
            model = trained(cache, task, known, arm, name, seed)
            found.add(name, task.measured(model))
            if arm.thoughts and arm.thinking == "attention":
                steps = thinking(model, task)
                for number, step in enumerate(steps, 1):
                    if step:  # of the first, unchecked, there is nothing to say
                        found.add(f"{name}, thought {number}", step)
                if arm.verifiers:
                    fall = steps[0]["entropy"] - steps[-1]["entropy"]
                    found.add(f"{name}, fall", {"entropy": fall})
