"""Taxonomy: numbers from 1, names asked for once."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.understand.taxonomy import OTHER, Taxonomy, categories_of

SMALL = Taxonomy(("Tea", "Sea Kayaking", "Chess"))


def test_names_are_found_in_any_spelling() -> None:
    assert SMALL.number(" sea  KAYAKING") == 2
    assert SMALL.number("Wine") == OTHER == 0


def test_each_name_is_asked_for_once_three_at_a_time() -> None:
    asked: list[list[str]] = []

    def ask(names: Sequence[str]) -> list[int]:
        asked.append(list(names))
        return [SMALL.number(name) for name in names]

    known: dict[str, int] = {}
    names = ["Tea", "Wine", "tea ", "Chess", "Beer", "Sea Kayaking"]
    assert categories_of(names, SMALL, ask, known) == [1, 0, 1, 3, 0, 2]
    assert asked == [["Tea", "Wine", "Chess"], ["Beer", "Sea Kayaking"]]
    assert categories_of(["BEER", "Tea"], SMALL, ask, known) == [0, 1]
    assert len(asked) == 2
    other = Taxonomy(("Tea",))
    assert other.key("Tea") != SMALL.key("Tea") == SMALL.key(" TEA ")


def test_answers_that_are_no_categories_are_other() -> None:
    assert categories_of(["a", "b", "c"], SMALL, lambda names: [99, -1], {}) == [0, 0, 0]


def test_a_file_of_numbered_names(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text('category_id,category_name\n2,"Sea, Sand"\n1,Tea\n')
    found = Taxonomy.open(path)
    assert found.names == ("Tea", "Sea, Sand")
    assert found.sha256 != SMALL.sha256


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id,name\n1,Tea\n",
        "category_id,category_name\n",
        "category_id,category_name\n1,Tea\n3,Chess\n",
        "category_id,category_name\n0,Tea\n",
        "category_id,category_name\n1,Tea\n1,Chess\n",
        "category_id,category_name\nx,Tea\n",
        "category_id,category_name\n1\n",
        "category_id,category_name\n1,Tea\n2, tea\n",
        "category_id,category_name\n1, \n",
        "category_id,category_name\n1,\udcff\n",
    ],
)
def test_files_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadInput):
        Taxonomy.open(path)
    with pytest.raises(BadInput):
        Taxonomy.open(tmp_path / "missing.csv")


def test_the_released_categories(shared_data: Path) -> None:
    path = shared_data / "gistbench" / "categories.csv"
    if not path.is_file():
        pytest.skip("the released categories are not here")
    assert len(Taxonomy.open(path).names) == 325
