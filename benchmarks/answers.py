"""How many answers are checked a second on one core, and what one that hangs costs the others.

Numbers and choices are compared in this process, LaTeX in one checker. A second on a core is a
CPU-second of the two processes together; that of loading the library is taken off. The best of
three runs, each with a new checker.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Sequence
from pathlib import Path

from tastemaker import files
from tastemaker.config import environment
from tastemaker.reinforce.answers import AnswerOptions, Answers
from tastemaker.reinforce.checkers import Limits

ROOT = Path(__file__).parents[1]
BAR, REPEATS, GROUP = 500.0, 3, 16
HANGS = r"\boxed{9^{9^{9^9}}}"
FORMS = (
    (r"\frac{{{n}x}}{{2}}", r"{n}x/2"),
    (r"x^{n}+1", r"1+x^{{{n}}}"),
    (r"\sqrt{{{n}}}", r"{n}^{{1/2}}"),
    (r"\left( {n}, \frac{{\pi}}{{2}} \right)", r"({n}, \pi/2)"),
)
Case = tuple[str, str, str]
"""Completion, right answer, kind."""


def numbers(many: int) -> list[Case]:
    """Completions that end with a plain number, half of them right."""
    return [(f"So she has {n // 2:,} left.\n#### {n // 2:,}", f"{n // 4 * 2}", "number")
            for n in range(many)]  # fmt: skip


def latex(many: int) -> list[Case]:
    """Groups of boxed LaTeX: half the answers are right, in one way, the others all different."""
    cases: list[Case] = []
    for n in range(many):
        group = 2 + n // GROUP
        gold, written = FORMS[group % len(FORMS)]
        answer = written.format(n=group + n % 2 * (1 + n % GROUP))
        cases.append((rf"Thus \boxed{{{answer}}}.", gold.format(n=group), "maths"))
    return cases


def unlike(many: int) -> list[Case]:
    """LaTeX of which no text stands twice, so that nothing read once is of use again."""
    cases: list[Case] = []
    for n in range(many):
        gold, written = FORMS[n % len(FORMS)]
        answer = written.format(n=10_000 + n + n % 8 // 4)
        cases.append((rf"Thus \boxed{{{answer}}}.", gold.format(n=10_000 + n), "maths"))
    return cases


def mixed(many: int) -> list[Case]:
    """Half numbers, three in ten choices, two in ten LaTeX."""
    letters = [(f"The answer is ({'ABCD'[n % 4]}).", "B", "choice") for n in range(many * 3 // 10)]
    return numbers(many // 2) + letters + latex(many // 5)


def seconds(answers: Answers, cases: Sequence[Case]) -> float:
    """Wall seconds to check cases."""
    completions, golds, kinds = zip(*cases, strict=True)
    begun = time.perf_counter()
    verdict = answers.right(completions, golds, kinds)
    spent = time.perf_counter() - begun
    assert any(verdict) and not all(verdict)
    return spent


def computed(cases: Sequence[Case]) -> float:
    """CPU-seconds of this process and of a checker that first loads its library."""
    begun = sum(os.times()[:4])
    with Answers(AnswerOptions(limits=Limits(wall=60.0))) as answers:
        seconds(answers, latex(2 * GROUP))
        if cases:
            seconds(answers, cases)
    return sum(os.times()[:4]) - begun


def rate(cases: Sequence[Case]) -> float:
    """Answers a second."""
    loading = min(computed([]) for _ in range(REPEATS))
    return len(cases) / (min(computed(cases) for _ in range(REPEATS)) - loading)


def added_by_one_that_hangs(cases: Sequence[Case]) -> tuple[float, int]:
    """Wall seconds that one hanging answer adds, and how many verdicts of the others it changed."""
    limits = Limits(cpu=1.0, wall=60.0)
    completions, golds, kinds = (list(column) for column in zip(*cases, strict=True))
    with Answers(AnswerOptions(limits=limits)) as answers:
        plain = answers.right(completions, golds, kinds)
        without = seconds(answers, cases)
        place = len(cases) // 2
        completions.insert(place, HANGS)
        golds.insert(place, "x+1")
        kinds.insert(place, "maths")
        begun = time.perf_counter()
        told = answers.right(completions, golds, kinds)
        spent = time.perf_counter() - begun
    assert not told.pop(place)
    return spent - without, sum(one != other for one, other in zip(plain, told, strict=True))


def main() -> None:
    """Measure, print and write `results/bench-answers.json`."""
    keys = ("what", "ours", "peer", "ratio", "target", "met")
    rows = []
    for name, cases, bar in (
        ("plain numbers", numbers(20_000), BAR),
        ("LaTeX of groups of 16, the same gold in each", latex(2_000), BAR),
        ("LaTeX, no text twice, so that every gold is read anew", unlike(500), None),
        ("half numbers, 3 in 10 choices, 2 in 10 LaTeX", mixed(5_000), BAR),
    ):
        found = round(rate(cases))
        met = None if bar is None else found >= bar
        rows.append((f"answers a second on a core: {name}", found, None, None, bar, met))
    added, changed = added_by_one_that_hangs(latex(500))
    about = "one answer that hangs among 500, stopped after 1 second of computing"
    rows.append((f"{about}: seconds added", round(added, 1), None, None, None, None))
    rows.append((f"{about}: verdicts of the others changed", changed, None, None, 0, changed == 0))
    results = [dict(zip(keys, row, strict=True)) for row in rows]
    files.write_json(
        ROOT / "results" / "bench-answers.json",
        {"name": "answers", "rows": results, **environment()},
    )
    print(*results, sep="\n")


if __name__ == "__main__":
    main()
