"""What goes over the wire in a round, in bytes of tensors; what frames them is not counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor

from tastemaker.seams import Broadcast, Reply


class Traffic:
    """Counts what clients send, accepted or not."""

    def __init__(self) -> None:
        self.bytes = 0

    def counted(self, replies: Iterable[Reply]) -> Iterator[Reply]:
        """The same replies."""
        for reply in replies:
            self.bytes += sum(map(size, (reply.weights, reply.seen, reply.control)))
            yield reply


def sent(broadcast: Broadcast) -> int:
    """Bytes that one client is sent; a class's credibility is a float of four."""
    return size(broadcast.weights) + size(broadcast.control) + 4 * len(broadcast.credibility)


def size(tensors: object) -> int:
    """Bytes of tensors by name; nothing else that a client may have sent counts."""
    held = tensors.values() if isinstance(tensors, dict) else ()
    return sum(tensor.nbytes for tensor in held if isinstance(tensor, Tensor))
