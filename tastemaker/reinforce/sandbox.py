"""Sandboxes: where what a model wrote is run, or read, without being able to do harm.

Three kinds, of which one is asked for by name and none stands in for another: `monty`, `grammar`
and `bubblewrap`. Code of a model is never run in this process.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

from tastemaker.errors import BadInput
from tastemaker.reinforce.sandbox_bubblewrap import BubblewrapSandbox
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.sandbox_monty import MontySandbox
from tastemaker.reinforce.workbench import SnippetFault, Workbench, error_line

if TYPE_CHECKING:
    from PIL.Image import Image

SandboxKind = Literal["monty", "grammar", "bubblewrap"]


class Sandbox(Protocol):
    """Runs snippets, one at a time."""

    def run(self, code: str, bench: Workbench) -> None:
        """Run a snippet, or as much of it as may be.

        Raises:
            SnippetFault: Whatever it does wrong.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True)
class Ran:
    """What became of a snippet."""

    image: Image | None
    """what it displayed last; None: it failed"""
    error: str = ""
    """why it ended early, on a line of at most 200 characters"""
    notes: tuple[str, ...] = ()
    """of names that no box has"""
    edited: bool = True
    """whether what it displayed differs from the first image"""

    @property
    def outcome(self) -> Literal["used", "unchanged", "failed"]:
        """It was shown an edited image, or the first as it was; or it failed."""
        if self.image is None:
            return "failed"
        return "used" if self.edited else "unchanged"


def open_sandbox(kind: SandboxKind = "monty") -> Sandbox:
    """A sandbox of just this kind.

    Args:
        kind: `monty`, an interpreter with no system below it; `grammar`, which knows calls alone;
            `bubblewrap`, all of Python behind the walls of the kernel.

    Raises:
        BadInput: If there is no such kind, or this machine lacks what it needs.
        OutOfResources: If it does not start.
    """
    if kind == "monty":
        return MontySandbox()
    if kind == "grammar":
        return GrammarSandbox()
    if kind == "bubblewrap":
        return BubblewrapSandbox()
    raise BadInput(
        f"There is no sandbox {kind!r}.", "--sandbox", "Use monty, grammar or bubblewrap."
    )


def run_snippet(sandbox: Sandbox, code: str, bench: Workbench) -> Ran:
    """Run what a model wrote; whatever that is, this says what became of it and raises nothing.

    Args:
        sandbox: Where.
        code: Of a snippet.
        bench: What it may touch; made for this snippet.
    """
    error = ""
    try:
        _check(code, bench)
        sandbox.run(code, bench)
    except SnippetFault as fault:
        error = error_line(str(fault))
    if bench.shown is None and not error:
        error = "Nothing was displayed: end with display(image)."
    notes = tuple(map(error_line, dict.fromkeys(bench.notes)))
    return Ran(bench.shown, error, notes, bench.edited)


def _check(code: str, bench: Workbench) -> None:
    most = bench.limits.characters
    if len(code) > most:
        raise SnippetFault(f"The code has {len(code):,} characters, of at most {most:,}.")
    if "\0" in code or any("\ud800" <= char <= "\udfff" for char in code):
        raise SnippetFault("The code holds what is no character.")
