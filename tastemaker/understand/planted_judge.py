"""Planted judge: says what supports an interest by the truth of a planted world, right or noisy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

from tastemaker.data.signals import UserSignals
from tastemaker.understand.asked import Judged
from tastemaker.understand.interests import Interest, Mode
from tastemaker.understand.simulated import SMALL, chance, identity, world_of
from tastemaker.understand.specificity import LineUp, SpecificityOptions, draw_line_up, draw_pool
from tastemaker.worlds.planted_interests import PlantedUsers


class PlantedJudge:
    """Answers by what was planted, wrong about some items.

    Args:
        planted: The world with its truth.
        noise: Chance that it takes an item for the opposite of what it is, 0 to 1.
        seed: Of the noise.
        sizes: Of pool and line-ups.
        mode: How line-ups are drawn.
    """

    def __init__(
        self,
        planted: PlantedUsers,
        noise: float = 0.0,
        seed: int = 0,
        sizes: SpecificityOptions | None = None,
        mode: Mode = "strict",
    ) -> None:
        self.name = f"truth with noise {noise:g}" if noise else "truth"
        self._planted, self._noise, self._seed, self._mode = planted, noise, seed, mode
        self._sizes = sizes or SpecificityOptions()
        self._pool = draw_pool(planted.frame["item_id"].unique(), self._sizes)
        world = world_of(planted)
        self.identity = identity("planted", noise, seed, asdict(self._sizes), mode, world)

    def judge(
        self, users: Sequence[UserSignals], interests: Sequence[Sequence[Interest]]
    ) -> list[Judged]:
        """Relevant items and picks of each user's interests."""
        return [self._judged(user, own) for user, own in zip(users, interests, strict=True)]

    def categories(self, names: Sequence[str]) -> list[int]:
        """The topic of that name."""
        return [SMALL.number(name) for name in names]

    def relevant(self, interest: Interest, user: UserSignals) -> list[str]:
        """F_j: cited items of the user's history that are of the interest's topic."""
        return [item for item in interest.cited if item in user.items and self._of(interest, item)]

    def unrelated(self, user: UserSignals, pool: Collection[str]) -> list[str]:
        """The pool without what overlaps the interests of the user."""
        return self._planted.distractors(user.user, pool)

    def pick(self, interest: Interest, line_up: LineUp) -> list[str]:
        """K items of a line-up: those of the topic first, and then, not to be caught, any."""
        of_topic = {item for item in line_up.items if self._of(interest, item)}
        own = [item for item in line_up.items if item in of_topic]
        rest = [item for item in line_up.items if item not in of_topic]
        return [*own, *rest][: line_up.k]

    def _judged(self, user: UserSignals, interests: Sequence[Interest]) -> Judged:
        rest = self.unrelated(user, self._pool)
        line_ups = tuple(
            draw_line_up(user, one, rest, self._sizes, self._mode) for one in interests
        )
        picks = [self.pick(one, shown) for one, shown in zip(interests, line_ups, strict=True)]
        relevant = tuple(tuple(self.relevant(one, user)) for one in interests)
        return Judged(relevant, tuple(map(tuple, picks)), line_ups)

    def _of(self, interest: Interest, item: str) -> bool:
        topic = SMALL.number(interest.name)
        right = topic > 0 and self._planted.topics.get(item) == topic
        return right != (chance(self._seed, "judge", interest.name, item) < self._noise)
