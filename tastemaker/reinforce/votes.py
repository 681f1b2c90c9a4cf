"""Votes: of several answers to one prompt, which are the same, and how many gave each.

An answer is a whole number: rollouts of one group with the same number gave the same answer, and a
negative number is a reply from which no answer could be read. Such a reply counts as a rollout and
owns no answer. Numbers of different groups say nothing of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tastemaker.errors import BadInput

UNREADABLE = -1


def coded(groups: Sequence[Sequence[str | None]]) -> Tensor:
    """Answers as numbers.

    Args:
        groups: G groups of n answers each; equal strings are one answer, None is unreadable.

    Returns:
        (G, n) whole numbers, in each group from 0 in the order in which answers first appear.

    Raises:
        BadInput: If there are no groups, a group has another size, or less than two answers.
    """
    sizes = {len(group) for group in groups}
    if len(sizes) != 1:
        what = f"Groups of answers have the sizes {sorted(sizes)}." if sizes else "No answers."
        raise BadInput(what, "answers", "Give every prompt the same number of rollouts.")
    rows = []
    for group in groups:
        numbers: dict[str, int] = {}
        rows.append(
            [UNREADABLE if one is None else numbers.setdefault(one, len(numbers)) for one in group]
        )
    return voting(torch.tensor(rows, dtype=torch.long))


def voting(answers: Tensor) -> Tensor:
    """The answers, if they are groups that can vote.

    Raises:
        BadInput: If they are no (G, n) whole numbers with n of at least two.
    """
    if answers.dim() != 2 or not len(answers) or answers.is_floating_point():
        what = f"Answers of shape {tuple(answers.shape)} and type {answers.dtype} are no groups."
        raise BadInput(what, "answers", "Give (groups, rollouts) whole numbers.")
    if answers.shape[1] < 2:
        what = "One rollout a prompt is no vote: it always agrees with itself."
        raise BadInput(what, "rollouts", "Sample at least two; 16 is usual.")
    return answers


@dataclass(frozen=True)
class Votes:
    """Who gave which answer.

    The answers of a group are named by the rollout that was first to give each, so that a group of
    n rollouts has n places for answers, of which those of later rollouts stay empty.
    """

    member: Tensor
    """(G, n, n) bool: rollout i gave the answer of place j"""
    counts: Tensor
    """(G, n) votes of the answer of each place; 0 where it is empty"""
    own: Tensor
    """(G, n) votes of each rollout's own answer; 0 where that is unreadable"""

    @classmethod
    def of(cls, answers: Tensor) -> Votes:
        """Count the votes of (G, n) answers.

        Raises:
            BadInput: If they are no groups of at least two rollouts.
        """
        readable = voting(answers) >= 0
        same = (answers[:, :, None] == answers[:, None, :]) & readable[:, :, None]
        first = same.int().argmax(2)  # of several largest the first
        places = torch.arange(answers.shape[1], device=answers.device)
        member = (first[:, :, None] == places) & readable[:, :, None]
        return cls(member, member.sum(1), same.sum(2))

    @property
    def rollouts(self) -> int:
        """Rollouts of a group, n."""
        return self.own.shape[1]

    @property
    def majority(self) -> Tensor:
        """(G,) votes of the commonest answer; 0 where all are unreadable."""
        return self.counts.amax(1)

    @property
    def chosen(self) -> Tensor:
        """(G, n) bool: gave the commonest answer; of several, the one given first."""
        place = self.counts.argmax(1)
        return self.member[torch.arange(len(place), device=place.device), :, place]

    @property
    def distinct(self) -> Tensor:
        """(G,) different answers."""
        return (self.counts > 0).sum(1)
