"""tastemaker store as a person meets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.serve.events import Event
from tastemaker.serve.store import Store
from tests.serve.test_dump import filled


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["store", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def paths(tmp_path: Path) -> tuple[str, str, str]:
    """A filled store, a place for a dump, and one for another store."""
    with Store.open(tmp_path / "a.sqlite") as store:
        filled(store)
    return str(tmp_path / "a.sqlite"), str(tmp_path / "d.jsonl"), str(tmp_path / "b.sqlite")


def test_a_store_moves_by_way_of_a_file(
    paths: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    first, file, second = paths
    code, out, _ = call(capsys, "dump", first, "--to", file)
    assert code == 0 and out == f"5 events, 3 exposures, 2 hidden items, 1 erased user: {file}\n"
    code, out, _ = call(capsys, "restore", second, "--from", file)
    assert code == 0 and "5 events added, 0 were there already." in out
    assert "2 hidden items added." in out
    answer = json.loads(call(capsys, "restore", second, "--from", file, "--json")[1])
    assert answer["events"] == {"new": 0, "duplicate": 5, "erased": 0}
    assert answer["from"] == file
    answer = json.loads(call(capsys, "dump", second, "--to", file, "--json")[1])
    counts = {"erased": 1, "hidden": 2, "event": 5}
    assert answer == {"to": file, **counts, "experiment": 1, "exposure": 3, "shown": 2}


def test_damaged_lines_are_named_and_left_out_when_asked(
    paths: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    first, file, second = paths
    call(capsys, "dump", first, "--to", file)
    Path(file).write_text(Path(file).read_text().replace('"event_id": "e3"', '"event_id": ""'))
    code, _, err = call(capsys, "restore", second, "--from", file)
    assert code == 3 and f"{file}:7" in err and "--on-bad-lines drop" in err
    with Store.open(second) as store:
        assert len(store) == 0
        store.append([Event("e", "u2", "i", 5)])
    code, out, _ = call(capsys, "restore", second, "--from", file, "--on-bad-lines", "drop")
    assert code == 0 and "4 events added" in out
    assert "1 damaged line left out" in out and f"{file}:7: " in out
    assert "1 event of users who were erased since: left out or removed." in out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["dump", "no/such.sqlite", "--to", "d"], 2),
        (["dump", "a.sqlite"], 2),
        (["dump", "a.sqlite", "--to", "no/folder/d"], 2),
        (["dump", "mysql://x/y", "--to", "d"], 2),
        (["restore", "b.sqlite"], 2),
        (["restore", "b.sqlite", "--from", "none.jsonl"], 2),
        (["restore", "b.sqlite", "--from", "a.sqlite"], 3),
        (["restore", "no/b.sqlite", "--from", "d.jsonl"], 5),
        (["dump", "postgresql://u@/d?host=/nowhere", "--to", "d"], 5),
    ],
)
def test_what_cannot_be_done_says_so(
    paths: tuple[str, str, str], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, words: list[str], code: int,
) -> None:  # fmt: skip
    monkeypatch.chdir(Path(paths[0]).parent)
    got, _, err = call(capsys, *words)
    assert (got, err.startswith("Error: ")) == (code, True), err
    assert "Traceback" not in err


def test_help_needs_no_library_and_a_missing_one_is_named_with_its_extra() -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "import tastemaker; from tastemaker.cli import main\n"
        "for verb in ('dump', 'restore'): assert main(['store', verb, '--help']) == 0\n"
        "assert not {'alembic', 'psycopg', 'torch', 'polars', 'numpy'} & set(sys.modules)\n"
        "sys.exit(main(['store', 'dump', 'x', '--to', 'y']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "tastemaker[serve]" in done.stderr
