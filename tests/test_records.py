"""Records survive a kill: whole lines are read, half a line is taken back."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tastemaker import records
from tastemaker.errors import ArtefactError, OutOfResources

TWO: list[dict[str, Any]] = [{"trial": 0, "name": "é\u2028\n"}, {"trial": 1, "value": None}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for record in TWO:
        records.append(tmp_path / "a.jsonl", record)
    return tmp_path / "a.jsonl"


def test_records_come_back_in_their_order(path: Path) -> None:
    assert records.read(path) == TWO
    assert [json.loads(line) for line in path.read_text().splitlines()] == TWO
    assert records.read(path.with_name("none")) == []


def test_a_file_cut_anywhere_holds_its_whole_records_and_goes_on(path: Path) -> None:
    raw = path.read_bytes()
    for length in range(len(raw) + 1):
        path.write_bytes(raw[:length])
        whole = TWO[: raw[:length].count(b"\n")]
        assert records.read(path) == whole
        records.append(path, {"next": length})
        assert records.read(path) == [*whole, {"next": length}]


def test_a_long_cut_line_is_taken_back(path: Path) -> None:
    with path.open("a") as file:
        file.write('{"text": "' + "x" * 200_000)
    assert records.read(path) == TWO
    records.append(path, {})
    assert records.read(path) == [*TWO, {}]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_the_first_records_are_kept(path: Path, count: int) -> None:
    with path.open("a") as file:
        file.write('{"trial"')
    records.keep(path, count)
    assert records.read(path) == TWO[:count]
    assert path.read_bytes().count(b"\n") == len(path.read_text().splitlines()) == min(2, count)
    assert [other.name for other in path.parent.iterdir()] == [path.name]


def test_keeping_none_of_nothing_leaves_an_empty_file(tmp_path: Path) -> None:
    records.keep(tmp_path / "a.jsonl", 0)
    assert (tmp_path / "a.jsonl").read_bytes() == b""


@pytest.mark.parametrize("line", [b"", b'{"a":', b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_whole_line_is_named(path: Path, line: bytes) -> None:
    path.write_bytes(path.read_bytes() + line + b"\n{}\n")
    with pytest.raises(ArtefactError) as caught:
        records.read(path)
    assert caught.value.where == str(path)
    assert "Line 3" in str(caught.value)


def test_what_is_no_json_changes_nothing(path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        records.append(path, {"value": float("nan")})
    assert records.read(path) == TWO


def test_a_full_disk_names_the_path_and_leaves_whole_records(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        os.truncate(path, path.stat().st_size - 3)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutOfResources) as caught:
            records.append(path, {"trial": 2})
    assert caught.value.where == str(path)
    assert records.read(path) == TWO
    records.append(path, {"trial": 3})
    assert records.read(path) == [*TWO, {"trial": 3}]


def test_a_killed_writer_leaves_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    code = (
        "import sys, itertools; from pathlib import Path; from tastemaker import records\n"
        "for n in itertools.count():\n"
        "    records.append(Path(sys.argv[1]), {'n': n, 'text': 'x' * 5000})\n"
        "    print(n, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(5)]
        writer.send_signal(signal.SIGKILL)
        said += [int(line) for line in writer.stdout]
    numbers = [record["n"] for record in records.read(path)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= len(said), "what was said to be written is there"
    records.append(path, {"n": "next"})
    assert records.read(path)[-1] == {"n": "next"}
