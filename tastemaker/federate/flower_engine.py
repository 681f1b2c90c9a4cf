"""An engine whose messages Flower carries; the loop, the gate and the averaging stay ours.

A client that is not connected is written to as soon as it is, and one that hangs costs the round's
time, not the run. The first round waits longer, because clients still start.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flwr.app import Message, MessageType

from tastemaker.errors import BadInput
from tastemaker.federate.flower_messages import decoded_reply, encoded_broadcast
from tastemaker.files import JsonObject
from tastemaker.seams import Broadcast, Reply

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

LOG = logging.getLogger(__name__)
_SHORTEST_FIRST = 120.0
_GRACE = 60.0
"""Seconds that a message lives longer than its round; one that is asked for must not be gone."""


class Carrier(Protocol):
    """What is needed of Flower's `Grid`."""

    def get_node_ids(self) -> Iterable[int]:
        """Nodes that are connected."""

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        """Send, and return an id for each."""

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        """Replies to these that have arrived, each once."""


@dataclass(frozen=True)
class Waiting:
    """How long an engine waits."""

    first: float = 300.0
    """seconds for the first round after a start, at least 120: clients still import and connect"""
    timeout: float = 120.0
    """seconds for any other round"""
    pause: float = 0.5
    """seconds between two looks"""

    def __post_init__(self) -> None:
        """Refuse times that end before clients can answer."""
        if self.first < _SHORTEST_FIRST or self.timeout <= 0 or self.pause <= 0:
            what = f"A first round of {self.first:g} and others of {self.timeout:g} seconds are too"
            fix = f"Give at least {_SHORTEST_FIRST:g} for the first and more than 0 for the others."
            raise BadInput(f"{what} short: clients need longer to start.", "waiting", fix)


class FlowerEngine:
    """A seam `Engine` over a Flower `Grid`."""

    def __init__(
        self,
        grid: Carrier,
        nodes: Mapping[str, int],
        plan: JsonObject,
        waiting: Waiting | None = None,
    ) -> None:
        """Take who is who.

        Args:
            grid: Flower's, or what does the same.
            nodes: Client → the id of its node.
            plan: What clients train and how; sent with every round.
            waiting: How long.
        """
        self.grid, self.nodes, self.plan = grid, dict(nodes), plan
        self.waiting = waiting or Waiting()
        self._started = False

    def round(self, broadcast: Broadcast, participants: Sequence[str]) -> Iterator[Reply]:
        """Replies as they arrive, until all have answered or time is over."""
        first, self._started = not self._started, True
        seconds = self.waiting.first if first else self.waiting.timeout
        round_ = _Round(self, broadcast, participants, time.monotonic() + seconds)
        # In a later round those who are absent are not waited for once others have answered.
        while not round_.over(patient=first):
            yield from round_.look()
            if not round_.over(patient=first):
                time.sleep(self.waiting.pause)
        for client in (*round_.unsent, *round_.asked.values()):
            LOG.warning("Round %d: client %s did not answer.", broadcast.round, client)

    def finish(self, number: int, weights: Tensors) -> None:
        """Give everybody who is connected the final weights, and wait a little for it to arrive."""
        self._started = True
        last = Broadcast(number, weights)
        seconds = min(self.waiting.timeout, 30.0)
        round_ = _Round(self, last, sorted(self.nodes), time.monotonic() + seconds, last=True)
        while not round_.over(patient=False):
            for _ in round_.look():
                pass
            time.sleep(self.waiting.pause)


class _Round:
    """Who was written to, and who answered."""

    def __init__(
        self,
        engine: FlowerEngine,
        broadcast: Broadcast,
        participants: Sequence[str],
        end: float,
        last: bool = False,
    ) -> None:
        self.engine, self.broadcast, self.end = engine, broadcast, end
        self.content = encoded_broadcast(broadcast, engine.plan, last)
        self.unsent = list(participants)
        self.asked: dict[str, str] = {}
        """id of a message → the client it went to"""
        self.answered = 0

    def over(self, patient: bool) -> bool:
        """Whether there is nothing left to wait for."""
        if time.monotonic() >= self.end:
            return True
        absent = bool(self.unsent) and (patient or not self.answered)
        return not self.asked and not absent

    def look(self) -> Iterator[Reply]:
        """Write to those who have come, and take what has arrived."""
        self._send()
        for message in self.engine.grid.pull_messages(set(self.asked)) if self.asked else ():
            client = self.asked.pop(message.metadata.reply_to_message_id, None)
            if client is None:
                continue
            self.answered += 1
            if message.has_error():
                reason = message.error.reason
                LOG.warning("Round %d: client %s gave up: %s", self.broadcast.round, client, reason)
            else:
                yield decoded_reply(message.content, client)

    def _send(self) -> None:
        connected = set(self.engine.grid.get_node_ids())
        here = [client for client in self.unsent if self.engine.nodes[client] in connected]
        left = max(self.end - time.monotonic(), 0.0) + _GRACE
        messages = [self._message(self.engine.nodes[client], left) for client in here]
        if not messages:
            return
        for client, sent in zip(here, self.engine.grid.push_messages(messages), strict=False):
            if sent:
                self.asked[sent] = client
                self.unsent.remove(client)

    def _message(self, node: int, seconds: float) -> Message:
        group = str(self.broadcast.round)
        return Message(self.content, node, MessageType.TRAIN, ttl=seconds, group_id=group)
