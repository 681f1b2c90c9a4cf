"""Files of ids, as people have them."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tastemaker.commands.lists import ItemLists, read_ids
from tastemaker.errors import BadInput

HELD = [
    ("a\nb\n", ["a", "b"], [1, 2]),
    ("a\r\n\r\n  b  \r\n\r\n", ["a", "b"], [1, 3]),
    ("\ufeffa\nb", ["a", "b"], [1, 2]),
    ('"a"\n"b ""x"""\n', ["a", 'b "x"'], [1, 2]),
    ("a,b\nc;d\n", ["a,b", "c;d"], [1, 2]),
    ("item_id\na\nb\n", ["a", "b"], [2, 3]),
    ('\ufeffitem_id,title\r\na,"One, two"\r\n\r\n"b,c","x\r\ny"\r\nd,\r\n', ["a", "b,c", "d"],
     [2, 4, 6]),
    ("title;item_id\nx;a\n;b\n", ["a", "b"], [2, 3]),
    ("n\titem_id\n1\ta\n", ["a"], [2]),
    ("\n\nitem_id , x\n a ,1\n", ["a"], [4]),
    ("7\n07\n", ["7", "07"], [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ids", "lines"), HELD)
def test_ids_and_their_lines(tmp_path: Path, text: str, ids: list[str], lines: list[int]) -> None:
    (tmp_path / "ids").write_bytes(text.encode())
    found = read_ids(str(tmp_path / "ids"), "item_id")
    assert (list(found.ids), list(found.lines)) == (ids, lines)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\n \r\n", b"item_id\n", b"\xff\xfea\0b\0", b"PAR1\0\0", b"a\0b", b"\x80\x81",
        b"x,item_id\na\n", b'item_id,x\n"' + b"a" * 200_000 + b'",1\n',
    ],
)  # fmt: skip
def test_what_is_no_list(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "ids").write_bytes(raw)
    with pytest.raises(BadInput):
        read_ids(str(tmp_path / "ids"), "item_id")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "none", tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(BadInput):
            read_ids(str(place), "item_id")


def test_unknown_ids_are_refused_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("a\nx\n\ny\n")
    found = read_ids(str(tmp_path / "ids"), "item_id")
    found.refuse([], "thing", "lost")
    with pytest.raises(BadInput, match=r"2 things are lost: line 2 'x', line 4 'y'\.") as caught:
        found.refuse(["x", "y"], "thing", "lost")
    with pytest.raises(BadInput, match=r"1 thing is lost: line 4 'y'\."):
        found.refuse(["y"], "thing", "lost")
    assert caught.value.where == str(tmp_path / "ids")


class Known:
    """A shelf of a few items."""

    def unknown(self, ids: Iterable[str]) -> list[str]:
        return [item for item in ids if item not in ("a", "b")]


def test_lists_of_items_are_those_of_the_files_that_are_given(tmp_path: Path) -> None:
    allow, deny = str(tmp_path / "allow"), str(tmp_path / "deny")
    Path(allow).write_text("a\nb\n")
    Path(deny).write_text("item_id,title\nb,B\n")
    shelf: Any = Known()
    assert ItemLists.read("", "").known(shelf) == (None, ())
    assert ItemLists.read(allow, "").known(shelf) == (("a", "b"), ())
    assert ItemLists.read("", deny).known(shelf) == (None, ("b",))
    assert ItemLists.read(allow, deny).known(shelf) == (("a", "b"), ("b",))


@pytest.mark.parametrize("wrong", ["allow", "deny"])
def test_a_listed_item_that_the_run_lacks_is_named_with_its_file(
    tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "good").write_text("a\n")
    (tmp_path / "bad").write_text("a\n\nzebra\n")
    given = {"allow": "good", "deny": "good", wrong: "bad"}
    lists = ItemLists.read(*(str(tmp_path / name) for name in given.values()))
    shelf: Any = Known()
    with pytest.raises(BadInput, match="line 3 'zebra'") as caught:
        lists.known(shelf)
    assert caught.value.where == str(tmp_path / "bad")
