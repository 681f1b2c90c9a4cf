"""What a terminal shows: text from data is inert, errors are one paragraph, tables are whole."""

import errno
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
    assert err == "Error: The file is bad: \ufffd[2J. Where: a.csv. Mend it.\n"
    terminal.error(fault, as_json=True)
    assert json.loads(capsys.readouterr().out)["where"] == "a.csv"


def test_what_the_package_says_is_a_flushed_line_with_its_time_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = logging.getLogger("tastemaker")
    with terminal.spoken():
        said.info("epoch %d\x1b[2J", 3)
        shown = capsys.readouterr()
    assert re.fullmatch(r" *\d+:\d\d  epoch 3�\[2J\n", shown.err)
    assert shown.out == ""
    said.info("silent again")
    monkeypatch.setenv("RANK", "1")
    with terminal.spoken():
        said.info("another process")
    assert capsys.readouterr().err == ""
    assert not said.handlers


def test_an_error_is_one_paragraph_whatever_its_names_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.error(BadInput("No\nError: fake.", "a\x1b[2Jb\n", "Fix\u2028it."), as_json=False)
    assert capsys.readouterr().err.count("\n") == 1


def test_json_keeps_the_text_and_escapes_what_acts(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"title": "\x1b]0;x\x07 \x9b2J \u202e \ud800 \U000e0001 Zoë 東京 👩", "n": 1.5}
    line = terminal.json_line(value)
    assert json.loads(line) == value
    assert line.isprintable()
    assert "Zoë 東京 👩" in line
    with pytest.raises(ValueError, match="JSON compliant"):
        terminal.json_line(float("nan"))


def test_the_screen_reads_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.screen().print("[bold]:smile: [/nope]")
    assert capsys.readouterr().out == "[bold]:smile: [/nope]\n"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (MemoryError(), 5),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 5),
        (RuntimeError("CUDA out of memory. Tried"), 5),
        (OSError(errno.ENOSPC, "No space left", "a"), 5),
        (PermissionError(errno.EACCES, "Permission denied", "a" * 999), 2),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a"), 2),
    ],
)
def test_faults_of_the_system_have_a_remedy(fault: Exception, code: int) -> None:
    error = terminal.understood(fault)
    assert error is not None
    assert error.exit_code == code
    assert error.fix
    assert len(str(error)) < 500


@pytest.mark.parametrize("fault", [RuntimeError("shape mismatch"), OSError("odd")])
def test_bugs_stay_bugs(fault: Exception) -> None:
    assert terminal.understood(fault) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["2020-01-01", "2021-01-01"], "2020-01-01 to 2021-01-01"),
        ([{"why": "skip", "count": 1234}], "why skip, count 1,234"),
        (0.123456, "0.1235"),
        (None, "None"),
    ],
)
def test_values_as_a_person_would_write_them(value: object, shown: str) -> None:
    assert terminal.value_of(value) == shown


def test_what_spoke_stands_beside_the_titles_and_fits_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "A rather long title of a film that has a second name, too (1968)"
    items = [
        {"title": long, "intent": "short-term · Sci-Fi"},
        {"title": "Two", "intent": "long-term · Toy Story (1995), Jurassic Park (1993), Babe"},
        {"title": "Three", "intent": ""},
    ]
    terminal.beside(terminal.screen(), [long, "Old"], items, "7")
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "short-term · Sci-Fi" in out
    assert "long-term · Toy Story" in out and "Babe" not in out
    assert len(out.splitlines()) <= 8
    terminal.beside(terminal.screen(), [], items, "7")
    assert "short-term · Sci-Fi" in capsys.readouterr().out
    terminal.beside(terminal.screen(), ["Old"], [{"title": "One"}], "7")
    assert " By" not in capsys.readouterr().out
