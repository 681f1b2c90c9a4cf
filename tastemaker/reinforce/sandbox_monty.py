"""Snippets in an interpreter of a part of Python that has no system below it, in its own process.

There are loops, functions and arithmetic. There is no file, no network and no environment to reach;
what it has of `os` answers nothing. Time, memory, recursion and calls are bounded inside, and a
process that does not keep the time is killed from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tastemaker.closing import Closing
from tastemaker.errors import OutOfResources
from tastemaker.models.extras import extra
from tastemaker.reinforce.tools import ToolFault
from tastemaker.reinforce.workbench import SandboxLimits, SnippetFault, Workbench

if TYPE_CHECKING:
    from pydantic_monty import Monty, ResourceLimits

_GRACE = 0.3
"""Seconds past its time after which a process is killed."""
_LOOK_UPS = 10
"""Names that a snippet may look up for each call it may make."""


class MontySandbox(Closing):
    """The sandbox that is used unless another is asked for; as a context or until closed.

    Raises:
        BadInput: If the library is missing.
        OutOfResources: If its process does not start.
    """

    def __init__(self) -> None:
        with extra("rl"):
            from pydantic_monty import Monty
        self._pool: Monty = Monty(
            max_processes=1,
            checkout_timeout=60,
            feed_duration_limit_grace=_GRACE,
            turn_duration_limit_grace=_GRACE,
        )
        try:
            self._pool.__enter__()
        except Exception as error:
            fix = "Free memory, or run `pip install 'tastemaker[rl]'` again."
            what = f"The sandbox does not start: {error}."
            raise OutOfResources(what, "pydantic-monty", fix) from error

    def close(self) -> None:
        """End its process."""
        self._pool.__exit__(None, None, None)

    def run(self, code: str, bench: Workbench) -> None:
        """Run a snippet.

        Raises:
            SnippetFault: If it fails, or takes more than it may.
        """
        calls = {name: _calling(bench, name) for name in bench.functions}
        try:
            with self._pool.checkout(
                script_name="snippet.py",
                limits=_limits(bench.limits),
                os_policy={"sleep": "zero", "random_start": {"seed": 0}},
            ) as session:
                session.feed_run(
                    f"{code}\nNone",  # so that no value of its own comes out
                    inputs=bench.values,
                    external_lookup=calls,
                    print_callback=_unheard,
                )
        except Exception as error:  # what kind, is decided by the snippet
            raise SnippetFault(str(error) or type(error).__name__) from None


def _limits(limits: SandboxLimits) -> ResourceLimits:
    return {
        "max_feed_duration_secs": limits.seconds,
        "max_memory": limits.memory,
        "max_recursion_depth": limits.recursion,
        "max_suspensions": _LOOK_UPS * limits.calls,
        "max_total_sleep_secs": 0.0,
    }


def _calling(bench: Workbench, name: str) -> Callable[..., str | None]:
    def call(*given: object, **named: object) -> str | None:
        try:
            return bench.call(name, given, named)
        except ToolFault as fault:
            raise ValueError(str(fault)) from None

    return call


def _unheard(stream: str, text: str) -> None:
    """What a snippet prints is for nobody."""
