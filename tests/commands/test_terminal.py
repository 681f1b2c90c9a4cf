"""What a terminal shows: text from data is inert, errors are one paragraph, tables are whole."""

import json
import logging
import re

import pytest

from tastemaker.commands import terminal
from tastemaker.errors import BadInput


@pytest.mark.parametrize(
    "text", ["\x1b[31mred", "[bold]x[/bold]", "a\nb\tc", "\x9b2J", "\u202eevil"]
)
def test_text_from_data_cannot_move_the_cursor(text: str) -> None:
    shown = terminal.plain(text)
    assert shown.plain.isprintable()
    assert not shown.spans


def test_errors_on_the_terminal_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    fault = BadInput("The file is bad: \x1b[2J.", "a.csv", "Mend it.")
    terminal.error(fault, as_json=False)
    err = capsys.readouterr().err
    assert err == "Error: The file is bad: \\x1b[2J. Where: a.csv. Mend it.\n"
    terminal.error(fault, as_json=True)
    assert json.loads(capsys.readouterr().out)["where"] == "a.csv"


def test_what_the_package_says_is_a_flushed_line_with_its_time_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = logging.getLogger("tastemaker")
    with terminal.spoken():
        said.info("epoch %d\x1b[2J", 3)
        shown = capsys.readouterr()
    assert re.fullmatch(r" *\d+:\d\d  epoch 3\\x1b\[2J\n", shown.err)
    assert shown.out == ""
    said.info("silent again")
    monkeypatch.setenv("RANK", "1")
    with terminal.spoken():
        said.info("another process")
    assert capsys.readouterr().err == ""
    assert not said.handlers
