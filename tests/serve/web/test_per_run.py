"""What is counted over a run once."""

from dataclasses import replace

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.per_run import PerRun


def test_it_is_counted_once_a_run(opened: Opened) -> None:
    made: list[Opened] = []
    other = replace(opened, version="other")
    kept = PerRun(lambda run: made.append(run) or len(made))  # type: ignore[func-returns-value]
    assert [kept.of(opened), kept.of(opened), kept.of(other), kept.of(other)] == [1, 1, 2, 2]
    assert made == [opened, other]
