"""What is used as a context, and closed at its end."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """A context that ends by `close`, which a class that holds something has of its own."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is held; here that is nothing."""
