"""Small tasks and models that tests of the benchmark share."""

import json
import re
from collections.abc import Iterator, Sequence

from tastemaker.data.replies import Conversation, Reply
from tastemaker.data.signals import UserSignals, signals
from tastemaker.models.asking import Ask
from tastemaker.models.generate import Scripted
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


def speaks(conversation: Conversation, repeat: int) -> str:
    """A language model's part in every question: four newest items are an interest in tea."""
    rules, data = (message["content"] for message in conversation)
    if "find out what a person likes" in rules:
        ids = re.findall(r"^\[(\S+)\] ", data, re.MULTILINE)[:4]
        counts = {"implicit_positive": 4}
        return json.dumps([{"interest": "Tea", "item_ids": ids, "counts": counts}])
    if "sort interests into categories" in rules:
        return "1: Tea"
    if "overlap any one of the interests" in rules:
        return "NONE"
    return "0, 1, 2" if "Which 3?" in rules or not repeat else "0"


class Interrupted(Scripted):
    """A language model in whose time somebody interrupts, once, after so many questions."""

    def __init__(self, after: int = 10**9, identity: str = "speaking") -> None:
        super().__init__(speaks, identity)
        self.after = after

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Reply]]:
        for place, one in enumerate(asks):
            if len(self.asked) == self.after:
                self.after = -1
                raise KeyboardInterrupt
            for _, reply in super().answers([one]):
                yield place, reply
