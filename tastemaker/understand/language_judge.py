"""Language judge: a language model says what supports interests, by GISTBench's questions.

Of each interest: which of its cited items are evidence (F_j). Of each user: which items of the pool
overlap any of their interests, so that they distract from none. Of each interest again: which k
items of its line-up support it. Each step asks about all users and interests in one call.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial

from tastemaker.data.replies import Conversation, Reply
from tastemaker.data.signals import UserSignals
from tastemaker.errors import BadInput
from tastemaker.models.identity import identity_of
from tastemaker.seams import Generate
from tastemaker.understand import prompts
from tastemaker.understand.agreement import fleiss_kappa
from tastemaker.understand.asked import Call, Judge, Judged, Understands
from tastemaker.understand.attempts import Attempts, Question, ask
from tastemaker.understand.choices import Choice, Chosen, choose
from tastemaker.understand.extract import LanguageModel
from tastemaker.understand.interests import Interest
from tastemaker.understand.judge_replies import parse_categories
from tastemaker.understand.quoted import quoted
from tastemaker.understand.specificity import LineUp, SpecificityOptions, draw_line_up, draw_pool
from tastemaker.understand.task import Task
from tastemaker.understand.taxonomy import OTHER, Taxonomy, categories_of


@dataclass(frozen=True)
class JudgeOptions:
    """How a language model judges; defaults are the paper's where it has them."""

    attempts: Attempts = field(default_factory=Attempts)
    """how often it is asked, and in which mode"""
    line_ups: SpecificityOptions = field(default_factory=SpecificityOptions)
    """sizes of pool and line-ups, and the characters of a text while the pool is filtered"""
    text: int = 2000
    """most characters of an item's text in the other questions"""
    shown: int = 1000
    """most items of a question about evidence or the pool; more are asked about in parts"""

    def __post_init__(self) -> None:
        """Refuse to show nothing."""
        if min(self.text, self.shown) < 1:
            what = "A question without items or text asks nothing."
            raise BadInput(what, "judge", "Show 1 or more of each.")


class LanguageJudge:
    """A language model that judges; a `Judge`.

    Args:
        generate: The model.
        name: As tables show it.
        task: What is judged: texts, the items of the pool, the taxonomy.
        options: How it is asked.
        known: `Taxonomy.key` → category, of names that were mapped before; new ones are added.
    """

    def __init__(
        self,
        generate: Generate,
        name: str,
        task: Task,
        options: JudgeOptions | None = None,
        known: MutableMapping[str, int] | None = None,
    ) -> None:
        self.name, self.options = name, options or JudgeOptions()
        self.model_identity = generate.identity
        """hex sha256 of the language model alone, however it is asked"""
        decides = {"prompts": prompts.VERSION, **asdict(self.options)}
        self.identity = identity_of(generate.identity, decides)
        self.category_calls: list[Call] = []
        """what it was asked of categories so far"""
        self._generate, self._task = generate, task
        self._known = {} if known is None else known

    @cached_property
    def _pool(self) -> list[str]:
        return draw_pool(self._task.signals.log.item_ids.to_list(), self.options.line_ups)

    def judge(
        self, users: Sequence[UserSignals], interests: Sequence[Sequence[Interest]]
    ) -> list[Judged]:
        """What supports each user's interests; what could not be read is None, or counted."""
        pairs = list(zip(users, interests, strict=True))
        evidence = self._choose([[self._evidence(user, one) for one in own] for user, own in pairs])
        overlaps = self._choose([self._overlaps(user, own) for user, own in pairs])
        line_ups = [
            self._line_ups(user, own, several)
            for (user, own), several in zip(pairs, overlaps, strict=True)
        ]
        picks = self._choose(
            [
                list(map(self._pick, own, shown))
                for (_, own), shown in zip(pairs, line_ups, strict=True)
            ]
        )
        return list(map(_judged, evidence, overlaps, line_ups, picks))

    def categories(self, names: Sequence[str]) -> list[int]:
        """Category of each name, asking for each once; the next time, if no reply could be read.

        Raises:
            BadInput: If the task has no taxonomy.
        """
        taxonomy = self._task.taxonomy
        if taxonomy is None:
            fix = "Give a taxonomy, or let each interest be a category of its own."
            raise BadInput("There are no categories to map interests to.", "taxonomy", fix)
        batches: list[tuple[str, ...]] = []

        def collect(several: Sequence[str]) -> list[int]:
            batches.append(tuple(several))
            return []

        categories_of(names, taxonomy, collect, dict(self._known))
        questions = [_categories(batch, taxonomy) for batch in batches]
        answers = ask(self._generate, questions, self.options.attempts)
        self.category_calls += [call for answer in answers for call in answer.calls]
        said: dict[tuple[str, ...], list[int]] = {}
        for batch, answer in zip(batches, answers, strict=True):
            votes = [reading for reading in answer.readings if reading is not None]
            if votes:
                said[batch] = [_most(column) for column in zip(*votes, strict=True)]
        known = dict(self._known)
        mapped = categories_of(names, taxonomy, lambda several: said.get(tuple(several), []), known)
        for key in (taxonomy.key(name) for batch in said for name in batch):
            self._known[key] = known[key]
        return mapped

    def _choose(self, choices: Sequence[Sequence[Choice]]) -> list[list[Chosen]]:
        """Ask for the choices of all users at once."""
        flat = [choice for several in choices for choice in several]
        options = self.options
        chosen = iter(choose(self._generate, flat, options.attempts, options.shown))
        return [[next(chosen) for _ in several] for several in choices]

    def _evidence(self, user: UserSignals, interest: Interest) -> Choice:
        """Cited items of the history; the reference shows an item as often as it stands there."""
        cited = set(interest.cited)
        if self.options.attempts.mode == "reference":
            items = [event.item for event in user.events if event.item in cited]
        else:
            items = [item for item in dict.fromkeys(interest.cited) if item in user.items]
        prompt = partial(self._about, interest.name)
        return Choice("relevant", tuple(items), prompt, prompts.NUMBERS_OR_NONE)

    def _overlaps(self, user: UserSignals, own: Sequence[Interest]) -> list[Choice]:
        """The question about the pool, where an interest has anything to be distracted from."""
        if not any(item in user.items for one in own for item in one.cited):
            return []
        strict = self.options.attempts.mode == "strict"
        pool = tuple(item for item in self._pool if not (strict and item in user.items))

        def prompt(items: Sequence[str]) -> Conversation:
            texts = self._texts(items, self.options.line_ups.text)
            return prompts.overlapping([one.name for one in own], texts, self._task.noun)

        return [Choice("unrelated", pool, prompt, prompts.NUMBERS_OR_NONE)]

    def _line_ups(
        self, user: UserSignals, own: Sequence[Interest], overlaps: Sequence[Chosen]
    ) -> list[LineUp]:
        out = {item for overlap in overlaps for item in overlap.items}
        pool = [item for item in self._pool if item not in out]
        sizes, mode = self.options.line_ups, self.options.attempts.mode
        return [draw_line_up(user, one, pool, sizes, mode) for one in own]

    def _pick(self, interest: Interest, line_up: LineUp) -> Choice:
        """The question about a line-up, where it holds anything that is cited."""

        def prompt(shown: Sequence[str]) -> Conversation:
            texts = self._texts(shown, self.options.text)
            return prompts.pick(interest.name, texts, line_up.k, self._task.noun)

        items = line_up.items if line_up.k else ()
        return Choice("pick", items, prompt, prompts.NUMBERS, whole=True)

    def _about(self, interest: str, items: Sequence[str]) -> Conversation:
        texts = self._texts(items, self.options.text)
        return prompts.relevant(interest, texts, self._task.noun)

    def _texts(self, items: Iterable[str], cut: int) -> list[str]:
        return [quoted(self._task.texts.get(item, ""), cut) for item in items]


def refuse_self_judging(model: Understands, judge: Judge, allowed: bool = False) -> None:
    """Refuse a language model as the judge of what it wrote itself, however it is asked.

    Raises:
        BadInput: If it is, and that is not `allowed`.
    """
    if not (isinstance(model, LanguageModel) and isinstance(judge, LanguageJudge)):
        return
    if model.model_identity == judge.model_identity and not allowed:
        what = f"{judge.name!r} would judge what it wrote itself."
        fix = "Name another judge, or allow a model to judge itself (--allow-self-judge)."
        raise BadInput(what, "judge", fix)


def agreement(judged: Iterable[Judged]) -> float | None:
    """Fleiss' κ of the replies about evidence; None where there were no repeats to agree."""
    return fleiss_kappa([vote for one in judged for vote in one.votes])


def _categories(names: tuple[str, ...], taxonomy: Taxonomy) -> Question[list[int]]:
    def read(reply: Reply) -> list[int] | None:
        found = parse_categories(reply.text, len(names), taxonomy)
        return found if any(found) or "other" in reply.text.lower() else None

    return Question("categories", prompts.categories(names, taxonomy), read, prompts.LINES)


def _most(votes: Sequence[int]) -> int:
    """The category that most replies give, if more than half do."""
    commonest = max(votes, key=votes.count)
    return commonest if 2 * votes.count(commonest) > len(votes) else OTHER


def _judged(
    evidence: Sequence[Chosen],
    overlaps: Sequence[Chosen],
    line_ups: Sequence[LineUp],
    picks: Sequence[Chosen],
) -> Judged:
    """What came of the questions about one user."""
    return Judged(
        relevant=tuple(map(_said, evidence)),
        picks=tuple(map(_said, picks)),
        line_ups=tuple(line_ups),
        unfiltered=sum(overlap.unread for overlap in overlaps),
        calls=tuple(call for one in (*evidence, *overlaps, *picks) for call in one.calls),
        votes=tuple(vote for one in evidence for vote in one.votes),
    )


def _said(chosen: Chosen) -> tuple[str, ...] | None:
    return None if chosen.unread else chosen.items
