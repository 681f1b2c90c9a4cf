"""Small tasks and models that tests of the benchmark share."""

from collections.abc import Sequence

from tastemaker.data.signals import UserSignals, signals
from tastemaker.understand.asked import Understands, Written
from tastemaker.understand.extracted import extracted
from tastemaker.understand.gistbench import GistOptions
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.simulated import SMALL
from tastemaker.understand.specificity import SpecificityOptions
from tastemaker.understand.task import Task
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

SIZES = SpecificityOptions(pool=60, size=12, backing=3)
WORLD = plant_users(PlantedOptions(users=6))
TASK = Task(
    "planted",
    signals(WORLD.interactions(), WORLD.declared),
    WORLD.texts,
    taxonomy=SMALL,
    oracle=Oracle(WORLD.oracle),
    planted=WORLD,
)
TRUTH = PlantedJudge(WORLD, sizes=SIZES)
OPTIONS = GistOptions(specificity=SIZES, block=2)


class Told:
    """Writes what it is told of each user; an exception that it is told is raised."""

    def __init__(self, texts: dict[str, str | Exception]) -> None:
        self.name, self.identity, self.texts = "told", "told", texts

    def write(self, users: Sequence[UserSignals]) -> list[Written]:
        written = []
        for user in users:
            text = self.texts.get(user.user, "[]")
            if isinstance(text, Exception):
                raise text
            written.append(Written(extracted(text)))
        return written


class Counting:
    """Another model, every question to which is counted."""

    def __init__(self, model: Understands, stop_after: int = 10**9) -> None:
        self.model, self.stop_after = model, stop_after
        self.name, self.identity = model.name, model.identity
        self.asked: list[str] = []

    def write(self, users: Sequence[UserSignals]) -> list[Written]:
        if len(self.asked) + len(users) > self.stop_after:
            raise KeyboardInterrupt
        self.asked += [user.user for user in users]
        return self.model.write(users)
