"""Lines of a dump: what is whole is read, what is not is named by its number."""

from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.serve.lines import LONGEST, line_of, read_lines

HEAD = line_of("store", {"format": 1})


def test_lines_say_what_is_there_and_leave_out_what_is_not() -> None:
    held = {"a": "é\u2028\n", "b": None, "c": "", "d": 0}
    assert line_of("event", held) == '{"event": {"a": "é\u2028\\n", "d": 0}}\n'
    with pytest.raises(ValueError):
        line_of("event", {"value": float("nan")})


@pytest.mark.parametrize(
    "raw",
    ["", "{", "[1]", "3", "null", '{"event": 3}', '{"other": {}}', '{"event": {}, "hidden": {}}',
     '{"event": {"value": NaN}}', "[" * 60_000, '"' + "x" * 3 * LONGEST + '"', "\0", "\xff"],
)  # fmt: skip
def test_a_damaged_line_is_told_and_the_next_is_read(tmp_path: Path, raw: str) -> None:
    path = tmp_path / "d"
    path.write_bytes(HEAD.encode() + raw.encode("latin-1") + b'\n{"event": {"a": 1}}\n')
    first, wrong, after = read_lines(path)
    assert (first.number, first.kind) == (1, "store")
    assert (wrong.number, wrong.kind) == (2, "") and 0 < len(wrong.wrong) < 200
    assert (after.number, after.kind, after.values) == (3, "event", {"a": 1})


def test_a_last_line_without_its_break_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_text(HEAD + '{"event": {}}')
    assert [line.kind for line in read_lines(path)] == ["store", ""]


@pytest.mark.parametrize(
    "text", ["user_id,item_id\n", '{"store": {"format": 2}}\n', "\n", HEAD[:-1]]
)
def test_another_file_is_no_dump(tmp_path: Path, text: str) -> None:
    path = tmp_path / "d"
    path.write_text(text)
    with pytest.raises(ArtefactError) as caught:
        list(read_lines(path))
    assert caught.value.file == f"{path}:1"
    with pytest.raises(BadInput):
        list(read_lines(tmp_path / "none"))
    with pytest.raises(BadInput):
        list(read_lines(Path("/dev/zero")))
