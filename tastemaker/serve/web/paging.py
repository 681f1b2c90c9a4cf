"""One page of a long list: where it stands, and what is before and after it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paging:
    """A page."""

    number: int
    """from 1; one beyond the last is empty"""
    size: int
    total: int
    """things in all"""

    @property
    def first(self) -> int:
        """Things before this page."""
        return (self.number - 1) * self.size

    @property
    def end(self) -> int:
        """Things up to its end."""
        return min(self.first + self.size, self.total)

    @property
    def before(self) -> int | None:
        """The page before; None: there is none."""
        return min(self.number - 1, self.last) if self.number > 1 else None

    @property
    def after(self) -> int | None:
        """The page after; None: there is none."""
        return self.number + 1 if self.number < self.last else None

    @property
    def last(self) -> int:
        """Number of the last page."""
        return max(1, -(-self.total // self.size))
