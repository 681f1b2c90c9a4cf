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


def refusing(path: Path) -> tuple[str, float, float]:
    """Type of the error with which a file is refused, and the CPU seconds and MB that it took."""
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
    return kind, float(seconds), float(megabytes)


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
    kind, seconds, megabytes = refusing(path)
    assert kind == "BadData"
    assert seconds < 1
    assert megabytes < 200


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


HEADS = {
    "t.csv.gz": b"user_id,item_id,timestamp\nu,a,1\n",
    "t.jsonl.gz": b'{"user_id": "u", "item_id": "a", "timestamp": 1}\n',
    "t.txt.gz": b"u a\n",
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" \t\n", b",,\n", b"\r"])
def test_a_gzip_of_millions_of_blank_lines_is_refused_soon(
    tmp_path: Path, name: str, blank: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tastemaker.data.datasets import load

    monkeypatch.setattr(lines, "MAX_BLANK", 100)
    head = HEADS[name]
    assert load(write(tmp_path / name, head + b"\n" * 90)).interactions.num_events == 1
    with pytest.raises(BadData) as caught:
        load(write(tmp_path / name, head + blank * 200 + b"\n" + head[head.find(b"u") :]))
    assert "blank" in caught.value.problems[0].what


def test_every_other_line_may_be_blank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tastemaker.data.datasets import load

    monkeypatch.setattr(lines, "MAX_BLANK", 100)
    rows = "".join(f"u,{n},{n}\n\n" for n in range(300))
    path = write(tmp_path / "t.csv.gz", ("user_id,item_id,timestamp\n\n" + rows).encode())
    assert load(path).interactions.num_events == 300


@pytest.mark.parametrize("name", ["t.csv.gz", "t.txt.gz"])
def test_three_hundred_million_blank_lines_cost_little(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(HEADS[name]) + gzip.compress(b"\n" * (1 << 24)) * 18)
    kind, seconds, megabytes = refusing(path)
    assert kind == "BadData"
    assert seconds < 1
    assert megabytes < 200


@pytest.mark.parametrize("open_quote", [b'"' + b"\n" * 9_999_999, b'"' + b'\n""' * 3_333_333])
def test_quoted_ends_of_lines_cost_no_more_than_others(tmp_path: Path, open_quote: bytes) -> None:
    path, closed = tmp_path / "t.csv.gz", gzip.compress(b'u,"' + open_quote[1:] + b'",1\n')
    path.write_bytes(gzip.compress(HEADS["t.csv.gz"]) + closed + gzip.compress(open_quote) * 4)
    kind, seconds, megabytes = refusing(path)
    assert kind == "BadData"
    assert seconds < 4
    assert megabytes < 400
