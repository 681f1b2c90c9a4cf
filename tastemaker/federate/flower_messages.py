"""What goes over the wire: a broadcast and a reply as Flower's records, and nothing beside.

Tensors travel as they lie in memory, so that every type arrives bit for bit (numpy, which Flower
uses by itself, has no bfloat16). What a reply may hold stands in `encoded_reply` alone. What
arrives is taken as far as it can be read: the gate, not this file, says what is wrong with it.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.files import JsonObject, json_text
from tastemaker.seams import Broadcast, Reply

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

WEIGHTS, SEEN, CONTROL, ABOUT, METRICS = "weights", "seen", "control", "about", "metrics"
"""Names of the records of a message."""
EXAMPLES = "num-examples"
"""As Flower's own strategies call it."""
TOLD = frozenset({"loss"})
"""Metrics that may leave a client."""
_WRITTEN = "tastemaker.raw"
"""How a tensor's bytes were made: as they lie in memory, the last dimension first to change."""
_TYPES = {
    str(kind).removeprefix("torch."): kind
    for kind in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
        torch.int16, torch.int8, torch.uint8, torch.bool,
    )
}  # fmt: skip


def encoded(tensors: Tensors) -> ArrayRecord:
    """Tensors as a record."""
    return ArrayRecord({name: _array(tensor) for name, tensor in tensors.items()})


def _array(tensor: Tensor) -> Array:
    raw = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    kind = str(tensor.dtype).removeprefix("torch.")
    return Array(kind, tuple(tensor.shape), _WRITTEN, raw)


def decoded(content: RecordDict, name: str) -> dict[str, Tensor]:
    """Tensors of a record of a message; those that cannot be read are left out."""
    record = content.get(name)
    if not isinstance(record, ArrayRecord):
        return {}
    found = {name: _tensor(array) for name, array in record.items()}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _tensor(array: Array) -> Tensor | None:
    """None: its type, sizes and bytes do not go together."""
    kind = _TYPES.get(array.dtype)
    if kind is None or array.stype != _WRITTEN or any(size < 0 for size in array.shape):
        return None
    if math.prod(array.shape) * kind.itemsize != len(array.data):
        return None
    if not array.data:
        return torch.empty(array.shape, dtype=kind)
    raw = torch.frombuffer(bytearray(array.data), dtype=torch.uint8)
    # Whatever byte was sent, a truth is 0 or 1.
    return (raw.ne(0) if kind is torch.bool else raw.view(kind)).reshape(array.shape)


def encoded_broadcast(broadcast: Broadcast, plan: JsonObject, last: bool = False) -> RecordDict:
    """What a participant is sent.

    Args:
        broadcast: Of a round.
        plan: What clients train and how, from which they build what they need.
        last: These are the final weights; there is nothing to train.
    """
    about = ConfigRecord(
        {
            "round": broadcast.round,
            "credibility": list(broadcast.credibility),
            "plan": json_text(plan),
            "last": last,
        }
    )
    arrays = {WEIGHTS: encoded(broadcast.weights), CONTROL: encoded(broadcast.control)}
    return RecordDict({**arrays, ABOUT: about})


def decoded_broadcast(content: RecordDict) -> tuple[Broadcast, JsonObject, bool]:
    """What was sent: the broadcast, the plan, and whether these are the final weights.

    Raises:
        BadInput: If it is nothing of the kind.
    """
    about = content.get(ABOUT)
    told = dict(about) if isinstance(about, ConfigRecord) else {}
    number, text, credibility = (told.get(name) for name in ("round", "plan", "credibility"))
    try:
        plan = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        plan = None
    sound = isinstance(credibility, list) and all(type(one) is float for one in credibility)
    if type(number) is not int or not isinstance(plan, dict) or not sound:
        what = "The server sent something else than a round of a federation."
        raise BadInput(what, "message", "Use the same version of tastemaker on both sides.")
    shares = tuple(float(one) for one in credibility)  # type: ignore[union-attr]
    weights, control = decoded(content, WEIGHTS), decoded(content, CONTROL)
    return Broadcast(number, weights, shares, control), plan, told.get("last") is True


def encoded_reply(reply: Reply) -> RecordDict:
    """All that leaves a client: weights, counts of rows, control, how many examples, and a loss."""
    told = {name: float(value) for name, value in reply.metrics.items() if name in TOLD}
    return RecordDict(
        {
            WEIGHTS: encoded(reply.weights),
            SEEN: encoded(reply.seen),
            CONTROL: encoded(reply.control),
            ABOUT: ConfigRecord({"round": reply.round}),
            METRICS: MetricRecord({EXAMPLES: reply.examples, **told}),
        }
    )


def decoded_reply(content: RecordDict, client: str) -> Reply:
    """What a client answers, as far as it can be read; what is missing breaks a rule of the gate.

    Args:
        content: Of its message.
        client: Who it is, as its key says and not the message.
    """
    about, metrics = content.get(ABOUT), content.get(METRICS)
    number = about.get("round") if isinstance(about, ConfigRecord) else None
    told = dict(metrics) if isinstance(metrics, MetricRecord) else {}
    count = told.pop(EXAMPLES, None)
    return Reply(
        client,
        number if type(number) is int else -1,
        decoded(content, WEIGHTS),
        count if type(count) is int else 0,
        decoded(content, SEEN),
        decoded(content, CONTROL),
        {name: float(one) for name, one in told.items() if isinstance(one, int | float)},
    )
