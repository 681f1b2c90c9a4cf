"""What a terminal shows: text from data is inert, errors are one paragraph, tables are whole."""

import json

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
