r"""A process that says which mathematical texts are equal; started and, when it hangs, killed.

It reads lines, each a JSON list of pairs, and writes a line for each pair: 1 for equal, else 0.
Texts are read as LaTeX, always inside `\boxed{…}`, and never as code. Whatever takes too long or
too much memory ends the process, by timers of the operating system that no computation holds up;
so it ends by itself even if nobody is left to kill it.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Callable
from functools import lru_cache

MEMORY = 3 * 2**30
"""Bytes of address space of a process."""
Equal = Callable[[str, str], bool]


def latex_equal() -> Equal:
    """Whether two LaTeX texts mean the same, the first being the one that is held for right."""
    from math_verify import LatexExtractionConfig, parse, verify

    # It warns that it has no timeout: this process has.
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    config = [LatexExtractionConfig(boxed_match_priority=0)]

    @lru_cache(4096)
    def parsed(text: str) -> list[object]:
        inside = r"\boxed{" + text + "}"
        return list(parse(inside, config, "no_fallback", "first_match", parsing_timeout=None))

    def equal(gold: str, answer: str) -> bool:
        one, other = parsed(gold), parsed(answer)
        if not one or not other or _clearly_differ(one[0], other[0]):
            return False
        return bool(verify(one, other, timeout_seconds=None))

    return equal


def _clearly_differ(one: object, other: object) -> bool:
    """Whether two expressions have values far apart at one point, so that no algebra can help.

    That costs a tenth of simplifying both. Each variable has the same value in both of them.
    """
    from sympy import Expr, Float, Symbol, UnevaluatedExpr

    if not isinstance(one, Expr) or not isinstance(other, Expr):
        return False
    if isinstance(one, Symbol) or isinstance(other, Symbol):
        return False  # words are symbols, or products of their letters
    if one.has(UnevaluatedExpr) or other.has(UnevaluatedExpr):
        return False  # a percentage has two values
    names = sorted({symbol.name for symbol in one.free_symbols | other.free_symbols})
    point = {name: Float(0.6 + 0.7 * (place + 1) / len(names)) for place, name in enumerate(names)}
    values = []
    for expression in (one, other):
        own = {symbol: point[symbol.name] for symbol in expression.free_symbols}
        try:
            values.append(complex(expression.evalf(15, subs=own)))
        except (TypeError, ValueError, ArithmeticError, AttributeError):
            return False  # it has no value there
    first, second = values
    far = abs(first - second) > 1e-3 * max(1.0, abs(first), abs(second))
    return far and math.isfinite(abs(first)) and math.isfinite(abs(second))


def serve(equal_of: Callable[[], Equal], cpu: float, wall: float) -> None:
    """Answer until the input ends.

    Args:
        equal_of: Makes what compares, before the first timer.
        cpu: Seconds that a pair may compute.
        wall: Seconds that it may take.
    """
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no reply
    equal = equal_of()
    _bound_memory()
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        for gold, answer in json.loads(line):
            _set_timers(cpu, wall)
            try:
                said = equal(gold, answer)
            except (Exception, MemoryError):
                said = False
            _set_timers(0, 0)
            print(int(said), file=replies, flush=True)


def _bound_memory() -> None:
    if sys.platform != "win32":
        import resource

        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        except (ValueError, OSError):
            return  # a lower limit stands already, or the system has none


def _set_timers(cpu: float, wall: float) -> None:
    """Let the system end this process after so many seconds; 0: stop the timers."""
    if sys.platform != "win32":
        import signal

        signal.setitimer(signal.ITIMER_PROF, cpu)
        signal.setitimer(signal.ITIMER_REAL, wall)


if __name__ == "__main__":
    serve(latex_equal, float(sys.argv[1]), float(sys.argv[2]))
