"""Memories of users, read from where they are kept or made and kept (spec PerSRec §3.4).

A memory is used again only where the model, the layout and the events it is of are the same, and
where those are all events but the newest R; up to `gap` events between may be passed over, which
costs what recipes/persrec.py says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from tastemaker.config import to_json
from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.nn.view import KeyValue, Past
from tastemaker.recommend.persrec import Memory, PerSRec
from tastemaker.recommend.persrec_layout import split_rows
from tastemaker.recommend.user_states import States, UserState, prefix_of, weights_sha256


def identity_of(model: PerSRec) -> dict[str, object]:
    """What decides the states of a model's users."""
    return {"model": weights_sha256(model), "layout": to_json(model.config)}


class Memories:
    """How states of users' old events are made, checked and read by a model.

    Args:
        model: What reads them.
        gap: Events between a state and the newest R that may be passed over.
    """

    def __init__(self, model: PerSRec, gap: int = 0) -> None:
        self.model, self.gap = model, gap

    @cached_property
    def nobody(self) -> Memory:
        """The memory of somebody without old events, whose first layer is everybody's."""
        with torch.no_grad():
            return self.model.compress(last(Contexts.single([]), 1).to(self.model.tokens.device))

    def ends(self, contexts: Contexts) -> list[int]:
        """(B,) how many old events each row has."""
        ends: list[int] = (contexts.lengths - self.model.layout.recent).clip(min=0).tolist()
        return ends

    def fits(self, state: UserState, contexts: Contexts, row: int) -> bool:
        """Whether a state is of the history of a row as it is now, and not too old."""
        end = self.ends(contexts)[row]
        return end - self.gap <= state.end <= end and state.prefix == _prefix(
            contexts, row, state.end
        )

    @torch.no_grad()
    def made(self, contexts: Contexts, rows: Sequence[int]) -> list[UserState]:
        """States of the old events of some rows."""
        layout, ends = self.model.layout, self.ends(contexts)
        wanted = contexts.take(torch.tensor(rows).numpy())
        batch = last(wanted, layout.old + layout.recent).to(self.model.tokens.device)
        memory = self.model.compress(split_rows(batch, layout.recent)[0])
        made = []
        for place, row in enumerate(rows):
            newest = int(contexts.offsets[row]) + ends[row] - 1
            known = contexts.times is not None and ends[row] > 0
            time = int(contexts.times[newest]) if known else None  # type: ignore[index]
            one = memory.rows(slice(place, place + 1))
            times = None if one.past.times is None else one.past.times[0]
            prefix = _prefix(contexts, row, ends[row])
            made.append(UserState(ends[row], time, times, prefix, _numbers(one)))
        return made

    def together(self, states: Sequence[UserState]) -> Memory:
        """Numbers → keys and values, with those of the first layer, which are of no user."""
        template = self.nobody
        device, kind = template.state.device, template.state.dtype
        flat = torch.stack([state.numbers for state in states]).to(device, kind)
        shapes = [part.shape[1:] for pair in template.past.layers[1:] for part in pair]
        sizes = [shape.numel() for shape in shapes] + [template.state.shape[1]]
        parts = torch.split(flat, sizes, 1)
        ready = [part.view(-1, *shape) for part, shape in zip(parts, shapes, strict=False)]
        pairs = zip(ready[::2], ready[1::2], strict=True)
        layers = (*template.past.layers[:1], *(KeyValue(*pair) for pair in pairs))
        kept = [state.times for state in states if state.times is not None]
        times = torch.stack(kept).to(device) if kept else None
        return Memory(Past(layers, template.past.position_ids, times), parts[-1])


@dataclass
class Remembering:
    """What is kept of the users of a model: `memory` is what its `memories` may be."""

    model: PerSRec
    states: States
    named: Callable[[int], str | None]
    """user code → id; None: nothing is kept of somebody whom the log does not know"""
    gap: int = 0
    """events between what is kept and the newest R that may be passed over"""
    made: int = 0
    """memories made so far"""
    read: int = 0
    """memories read so far"""

    @cached_property
    def memories(self) -> Memories:
        """How they are made and read."""
        return Memories(self.model, self.gap)

    @torch.no_grad()
    def memory(self, contexts: Contexts) -> Memory:
        """What is kept of each row's old events, made and kept where it was not there."""
        ids = [self.named(int(user)) for user in contexts.users]
        held = [self._held(user, contexts, row) for row, user in enumerate(ids)]
        missing = [row for row, state in enumerate(held) if state is None]
        self.read += len(held) - len(missing)
        self.made += len(missing)
        if missing:
            fresh = self.memories.made(contexts, missing)
            for row, state in zip(missing, fresh, strict=True):
                held[row] = state
            named = {ids[row]: held[row] for row in missing}
            self.states.put({user: state for user, state in named.items() if user and state})
        return self.memories.together([state for state in held if state is not None])

    def _held(self, user: str | None, contexts: Contexts, row: int) -> UserState | None:
        """The state of a user, if it is of this history and not too old."""
        state = None if user is None else self.states.get(user)
        return state if state is not None and self.memories.fits(state, contexts, row) else None


def _prefix(contexts: Contexts, row: int, end: int) -> bytes:
    """Hash of the first events of a row."""
    own = slice(int(contexts.offsets[row]), int(contexts.offsets[row + 1]))
    times = None if contexts.times is None else contexts.times[own]
    return prefix_of(contexts.items[own], end, times)


def _numbers(memory: Memory) -> Tensor:
    """(n,) what is of one user: keys and values above the first layer, and the state."""
    layers = [part.flatten() for pair in memory.past.layers[1:] for part in pair]
    return torch.cat([*layers, memory.state.flatten()])
