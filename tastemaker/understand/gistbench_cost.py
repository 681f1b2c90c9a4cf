"""What a run will ask of language models at most, reckoned before anybody is asked.

A model reads every history, part by part. What a judge reads depends on what a model writes, so it
is taken that a model writes `INTERESTS` interests a user, which cite `CITED` items each.
"""

from __future__ import annotations

from collections.abc import Sequence

from tastemaker.data.replies import Conversation
from tastemaker.data.signals import UserSignals, history_lines
from tastemaker.models.generate import Estimate, estimate
from tastemaker.understand import prompts
from tastemaker.understand.contestants import Contest, Entrant
from tastemaker.understand.gistbench import GistOptions
from tastemaker.understand.groundedness import Thresholds
from tastemaker.understand.specificity import draw_pool
from tastemaker.understand.task import Task
from tastemaker.understand.taxonomy import BATCH

INTERESTS = 10
CITED = 10
_NAMES = [f"Some interest number {number}" for number in range(INTERESTS)]


def reckoned(task: Task, contest: Contest, options: GistOptions, done: int = 0) -> Estimate:
    """Questions, tokens and cost of a run at most.

    Args:
        task: Who is asked about.
        contest: Who is asked.
        options: How the task is run.
        done: Users at the start of the log who were asked about before.
    """
    users = list(task.users(options.limit or None))[done:]
    writes, judges = contest.speaking
    parts = [_of_model(task, users, contest.model, options)] if writes else []
    if judges and contest.judge is not None and users:
        parts += _of_judge(task, len(users), contest.judge, options)
    return Estimate(
        sum(part.requests for part in parts),
        sum(part.prompt_tokens for part in parts),
        sum(part.tokens for part in parts),
        sum(part.cost for part in parts),
    )


def _of_model(
    task: Task, users: Sequence[UserSignals], entrant: Entrant, options: GistOptions
) -> Estimate:
    asked = entrant.extract(task, options)
    thresholds = Thresholds() if asked.thresholds else None
    wanted = prompts.Wanted(
        task.signals.kinds, asked.noun, thresholds, asked.counts, entrant.constrained
    )
    conversations = [
        prompts.extract(history_lines(part, task.texts, asked.text), wanted)
        for user in users
        for part in user.chunks(asked.chunk)
    ]
    return estimate(conversations, 1, asked.max_tokens, entrant.calling.prices)


def _of_judge(task: Task, users: int, entrant: Entrant, options: GistOptions) -> list[Estimate]:
    """Of each kind of question one is reckoned, on items of the pool, and taken so many times."""
    asked, sizes = entrant.judging(options), options.specificity
    items = draw_pool(task.signals.log.item_ids.to_list(), sizes)
    texts = [task.texts.get(item, "")[: asked.text] for item in items]
    cut = [text[: sizes.text] for text in texts]
    overlapping = [
        prompts.overlapping(_NAMES, cut[start : start + asked.shown], task.noun)
        for start in range(0, len(cut), asked.shown)
    ]
    relevant = prompts.relevant(_NAMES[0], texts[:CITED], task.noun)
    pick = prompts.pick(_NAMES[0], texts[: sizes.size], sizes.backing, task.noun)
    kinds: list[tuple[list[Conversation], int]] = [
        (overlapping, users),
        ([relevant, pick], users * INTERESTS),
    ]
    if task.taxonomy:
        batches = -(-users * INTERESTS // BATCH)
        kinds.append(([prompts.categories(_NAMES[:BATCH], task.taxonomy)], batches))
    return [_times(estimate(one, asked.attempts.repeats, asked.attempts.max_tokens,
                            entrant.calling.prices), many) for one, many in kinds]  # fmt: skip


def _times(one: Estimate, many: int) -> Estimate:
    return Estimate(
        one.requests * many, one.prompt_tokens * many, one.tokens * many, one.cost * many
    )
