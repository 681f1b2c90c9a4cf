"""Errors a user can act on: what is wrong, where, and how to mend it.

Each kind has its own exit code (reliability §5): 2 bad input or configuration, 3 artefact,
4 numeric fault, 5 out of resources. Anything else that escapes is a bug and exits with 1.
"""

from __future__ import annotations


class TastemakerError(Exception):
    """A fault with a cause and a remedy; printed as one paragraph, or as JSON with `fields`.

    Args:
        what: One sentence that says what is wrong, with the offending value.
        where: File, column, row, step or option concerned.
        fix: One sentence that says what to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        """The three sentences as one paragraph, without empty parts."""
        where = f"Where: {self.where}." if self.where else ""
        return " ".join(part for part in (self.what, where, self.fix) if part)

    @property
    def fields(self) -> dict[str, object]:
        """The same as a JSON object, for logs and `--json`."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "fix": self.fix,
            "exit_code": self.exit_code,
        }


class BadInput(TastemakerError):
    """Data, options or ids that cannot be used as they are."""

    exit_code = 2


class ArtefactError(TastemakerError):
    """A saved folder that is damaged, incomplete, or belongs to something else."""

    exit_code = 3

    def __init__(self, file: str, what: str, expected: str, got: str, fix: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}.", file, fix)
        self.file, self.expected, self.got = file, expected, got

    @property
    def fields(self) -> dict[str, object]:
        """The base fields plus file, expected and got."""
        return super().fields | {"file": self.file, "expected": self.expected, "got": self.got}


class NumericFault(TastemakerError):
    """A loss, weight or score that is not finite."""

    exit_code = 4


class OutOfResources(TastemakerError):
    """Disk, memory or permission ran out; nothing already published was harmed."""

    exit_code = 5


class Unavailable(TastemakerError):
    """A service that is needed, such as a database, does not answer; the same call may later."""

    exit_code = 5
