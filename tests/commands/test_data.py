"""What `data` shows."""

import pytest

from tastemaker.commands.data import show_checked


def test_dropped_rows_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"name": "n", "interactions": 5, "dropped": 2, "dropped_to": "bad.csv"}
    show_checked(found)
    assert "2 bad rows were left out: bad.csv" in capsys.readouterr().out
