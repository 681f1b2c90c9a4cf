"""Categories are kept from run to run, also where one was killed."""

from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError
from tastemaker.understand.category_map import CategoryMap


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "categories.jsonl"
    known = CategoryMap(path)
    known["a"], known["b"], known["a"] = 3, 0, 3
    assert len(path.read_text().splitlines()) == 2, "what is known is not written again"
    known["a"] = 4
    with path.open("a") as file:
        file.write('{"key": "c", "cat')  # killed here
    again = CategoryMap(path)
    assert dict(again) == {"a": 4, "b": 0}
    assert len(again) == 2 and "c" not in again
    again["c"] = 1
    assert dict(CategoryMap(path)) == {"a": 4, "b": 0, "c": 1}
    with pytest.raises(KeyError):
        del again["a"]


@pytest.mark.parametrize("line", ['{"key": "a"}', '{"key": 1, "category": 1}', "[]", "x"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "categories.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ArtefactError):
        CategoryMap(path)
