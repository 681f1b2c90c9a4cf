"""Lines of text are bounded before they are decoded; encodings and row numbers are right."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker.data import lines
from tastemaker.data.lines import encoding_of, first_line, line_blocks
from tastemaker.data.problems import BadData

NAMES = [
    "s.txt",
    "s.txt.gz",
    "ratings.dat",
    "t.csv.gz",
    "t.jsonl",
    "t.jsonl.gz",
    "t.csv",
    "x.inter",
]


def write(path: Path, raw: bytes) -> Path:
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_line_without_end_is_refused_in_every_text(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tastemaker.data.datasets import load

    monkeypatch.setattr(lines, "MAX_LINE", 1 << 20)
    head = {"t.csv": b"user_id,item_id,timestamp\nu,a,1\n"}.get(name.removesuffix(".gz"), b"")
    head = b"user_id:token\titem_id:token\ttimestamp:float\n" if name == "x.inter" else head
    path = write(tmp_path / name, head + b"1 " * (3 << 20))
    with pytest.raises(BadData) as caught:
        load(path)
    assert "longer than" in caught.value.problems[0].what


def test_a_megabyte_of_gzip_that_holds_a_gigabyte_costs_little(tmp_path: Path) -> None:
    path = tmp_path / "sequences.txt.gz"
    path.write_bytes(gzip.compress(b"1 " * (8 << 20)) * 94)
    program = (
        "import resource, sys, time; from tastemaker.data.datasets import load\n"
        "start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: load(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__)\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(time.process_time() - start, (after - before) / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    kind, seconds, megabytes = done.stdout.split()
    assert kind == "BadData"
    assert float(seconds) < 1
    assert float(megabytes) < 200


@pytest.mark.parametrize("name", ["t.txt", "t.txt.gz"])
def test_lines_end_as_people_end_them(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_CHUNK", 5)
    path = write(tmp_path / name, b"\xef\xbb\xbfa b\r\n\nc\rd\nlast")
    assert [line for block in line_blocks(path) for line in block] == ["a b", "", "c", "d", "last"]
    assert first_line(path) == "a b"


def test_bytes_that_are_no_text_have_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_CHUNK", 4)
    path = write(tmp_path / "t.txt", b"a\nb\nc\nd\xff\n")
    with pytest.raises(BadData) as caught:
        list(line_blocks(path))
    assert caught.value.problems[0].row == 4


def test_encodings(tmp_path: Path) -> None:
    utf8 = write(tmp_path / "u.dat", ("é" * 9).encode())
    latin = write(tmp_path / "l.dat", "é".encode("latin-1"))
    assert (encoding_of(utf8), encoding_of(latin)) == ("utf-8", "latin-1")
    cut = write(tmp_path / "c.dat", "é".encode()[:1])
    assert encoding_of(cut) == "latin-1"
