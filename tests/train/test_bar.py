"""Progress is said now and then, where nobody sees a bar."""

import logging

import pytest

from tastemaker.train.bar import Bar


@pytest.mark.parametrize(("shown", "lines"), [(True, 2), (False, 0)])
def test_the_first_and_the_last_step_are_said(
    caplog: pytest.LogCaptureFixture, shown: bool, lines: int
) -> None:
    with caplog.at_level(logging.INFO, "tastemaker"), Bar("round", 5, shown) as bar:
        bar.start(0)
        for step in range(1, 6):
            bar.at(step, f"value {step}")
    told = [record.getMessage() for record in caplog.records]
    assert told == ["round 1 of 5: value 1", "round 5 of 5: value 5"][:lines]
