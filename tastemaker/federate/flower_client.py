"""What a client does with the messages that Flower brings: train, and answer.

It keeps what its method has it remember, and weights that are its own, as they were after each of
its last rounds: a server that was killed asks for a round again, and gets the same reply again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from torch import nn

from tastemaker.errors import BadInput, TastemakerError
from tastemaker.federate.client import Client, LocalConfig, Memory, private, train_client
from tastemaker.federate.flower_messages import decoded_broadcast, encoded_reply
from tastemaker.federate.objectives import Method
from tastemaker.files import JsonObject, load_tensors, make_folder, replaced, save_tensors

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

LOG = logging.getLogger(__name__)
_KEPT = 3
_GAVE_UP = 1
"""Code of an error reply; its reason names a kind of error and nothing of the data."""


@dataclass(frozen=True, eq=False)
class Participant:
    """What a client brings to a federation."""

    model: nn.Module
    """a `Federable` module"""
    client: Client
    method: Method
    config: LocalConfig


Prepare = Callable[[JsonObject], Participant]
"""Makes a participant of the plan that the server sends."""


class Memories:
    """What a client remembers of its last rounds, in a folder where one is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._after: dict[int, Memory] = {}
        if folder:
            make_folder(folder)
            for path in folder.glob("after-*.safetensors"):
                if named := re.fullmatch(r"after-(\d+)\.safetensors", path.name):
                    self._after[int(named[1])] = _read(path)

    def before(self, number: int) -> Memory | None:
        """As it was before a round; None: there was none."""
        earlier = [round_ for round_ in self._after if round_ < number]
        return self._after[max(earlier)] if earlier else None

    def keep(self, number: int, memory: Memory) -> None:
        """As it is after a round; what was after later rounds never happened."""
        self._after = {old: kept for old, kept in self._after.items() if old < number}
        self._after[number] = memory
        for old in sorted(self._after)[:-_KEPT]:
            del self._after[old]
        if not self.folder:
            return
        with replaced(self._path(number)) as partial:
            save_tensors(partial, _named(memory))
        kept = {self._path(round_) for round_ in self._after}
        for path in set(self.folder.glob("after-*.safetensors")) - kept:
            path.unlink()

    def _path(self, number: int) -> Path:
        return (self.folder or Path()) / f"after-{number}.safetensors"


def _named(memory: Memory) -> Tensors:
    return {
        f"{kind}/{name}": tensor
        for kind, held in vars(memory).items()
        for name, tensor in held.items()
    }


def _read(path: Path) -> Memory:
    tensors = load_tensors(path)
    kinds = {
        kind: {
            name.removeprefix(f"{kind}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{kind}/")
        }
        for kind in ("private", "previous")
    }
    return Memory(**kinds)


class Answering:
    """Message in, reply out; the model is built from the first plan."""

    def __init__(self, prepare: Prepare, memories: Memories | None = None) -> None:
        """Take how a participant is made, and where it keeps what it remembers."""
        self.prepare, self.memories = prepare, memories or Memories()
        self.final: nn.Module | None = None
        """the model with the final weights, once the server has sent them"""
        self.fault: BadInput | None = None
        """why this client cannot take part"""
        self._made: tuple[JsonObject, Participant] | None = None
        self._first: Memory | None = None

    def __call__(self, message: Message) -> Message:
        """Train as asked; where this client cannot take part at all, `fault` says why."""
        try:
            return Message(self._content(message), reply_to=message)
        except BadInput as error:
            self.fault = error
            return _gave_up(message, error)
        except TastemakerError as error:  # such as a loss that is not finite: another round may do
            LOG.warning("%s", error)
            return _gave_up(message, error)

    @property
    def done(self) -> bool:
        """Whether there is nothing more to answer."""
        return self.final is not None or self.fault is not None

    def _content(self, message: Message) -> RecordDict:
        broadcast, plan, last = decoded_broadcast(message.content)
        made = self._participant(plan)
        memory = self.memories.before(broadcast.round) or self._first or Memory()
        if last:
            self.final = _with(made.model, {**broadcast.weights, **memory.private})
            return RecordDict()
        reply, after = train_client(
            made.model, made.client, made.method, broadcast, memory, made.config
        )
        if after is not memory:
            self.memories.keep(broadcast.round, after)
        return encoded_reply(reply)

    def _participant(self, plan: JsonObject) -> Participant:
        if self._made is None or self._made[0] != plan:
            self._made = plan, self.prepare(plan)
            self._first = Memory(private=private(self._made[1].model))
        return self._made[1]


def _with(model: nn.Module, weights: Tensors) -> nn.Module:
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        what, fix = "The final weights are of another model.", "Train the same on both sides."
        raise BadInput(f"{what} {error}", "message", fix) from None
    return model


def _gave_up(message: Message, error: TastemakerError) -> Message:
    """A reply that says no more than the kind of an error."""
    return Message(Error(_GAVE_UP, type(error).__name__), reply_to=message)


def client_app(answering: Answering) -> ClientApp:
    """The same as an app for a deployment that `flwr` runs."""
    app = ClientApp()

    @app.train()
    def train(message: Message, context: Context) -> Message:
        del context  # what stays between rounds is kept by `Memories`
        return answering(message)

    return app
