"""Clients in this process, one after the other: the same result whenever it is run.

There is one working model, whatever the number of clients; a client costs what it holds, and what
its method has it remember. All that it draws is a function of (seed, round, client).
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from torch import Tensor, nn

from tastemaker.errors import BadInput, NumericFault
from tastemaker.federate.client import Client, LocalConfig, Memory, private, train_client
from tastemaker.federate.objectives import Method
from tastemaker.seams import Broadcast, ClientData, Reply

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

LOG = logging.getLogger(__name__)
_NAMED = 10
"""Clients that a message names."""


class InProcess:
    """A seam `Engine`, and one that `Remembers`."""

    def __init__(
        self,
        model: nn.Module,
        clients: Mapping[str, ClientData],
        method: Method,
        config: LocalConfig,
    ) -> None:
        """Take the clients.

        Args:
            model: A `Federable` module; it is copied, and its private weights are those that every
                client begins with.
            clients: Name → data.
            method: What they minimise.
            config: How they train.

        Raises:
            BadInput: If a client has no data.
        """
        empty = [name for name, data in clients.items() if not data.examples]
        if empty:
            named = ", ".join(empty[:_NAMED]) + (" …" if len(empty) > _NAMED else "")
            raise BadInput("A client has no data.", named, "Leave it out, or give it examples.")
        self.model, self.clients = copy.deepcopy(model), clients
        self.method, self.config = method, config
        self._first = Memory(private=private(model))
        self._memories: dict[str, Memory] = {}

    def round(self, broadcast: Broadcast, participants: Sequence[str]) -> Iterator[Reply]:
        """Train one client after the other; one whose loss is not finite does not reply."""
        for name in participants:
            client = Client(name, self.clients[name])
            before = self._memories.get(name, self._first)
            try:
                reply, memory = train_client(
                    self.model, client, self.method, broadcast, before, self.config
                )
            except NumericFault as fault:
                LOG.warning("round %d: client %s gave up. %s", broadcast.round, name, fault)
                continue
            if memory is not before:
                self._memories[name] = memory
            yield reply

    def private(self, client: str) -> Tensors:
        """Weights that are a client's own, as they stand."""
        return self._memories.get(client, self._first).private

    def remembered(self) -> Tensors:
        """What clients remember: `kind/tensor/client` → tensor."""
        return {
            f"{kind}/{name}/{client}": tensor
            for client, memory in self._memories.items()
            for kind, held in vars(memory).items()
            for name, tensor in held.items()
        }

    def recall(self, tensors: Tensors) -> None:
        """Have clients remember this and nothing else."""
        found: dict[str, dict[str, dict[str, Tensor]]] = {}
        for key, tensor in tensors.items():
            kind, name, client = key.split("/", 2)
            found.setdefault(client, {}).setdefault(kind, {})[name] = tensor
        self._memories = {name: replace(Memory(), **held) for name, held in found.items()}
