"""Items by words for what their pictures show."""

from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.serve.looks import Looks
from tastemaker.serve.opened import Opened
from tests.serve.pictured import Colours


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))


def test_pictures_are_looked_at_once(pictured: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(Colours())
    assert looks.prepare(pictured) == 39
    monkeypatch.setattr(Colours, "_seen", lambda *_: pytest.fail("looked at again"))
    found = looks.find(pictured, "green", 4)
    assert [int(one.item[1:]) % 3 for one in found] == [1] * 4
    assert found[0].title == f"Item <{found[0].item[1:]}>"
    assert Looks(Colours()).prepare(pictured) == 39  # kept on disk


def test_one_that_cannot_be_read_is_not_found(
    opened: Opened, pictured: Opened, shots: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for number in (1, 2, 3):
        (few / f"{number}.png").write_bytes((shots / f"{number}.png").read_bytes())
    (few / "4.png").write_text("no picture")
    run = Opened(pictured.saved, "w", picture_folder=str(few))
    looks = Looks(Strict())
    assert looks.prepare(run) == 3
    with pytest.raises(BadInput):
        looks.prepare(opened)


class Strict(Colours):
    """Refuses what is no picture, as encoders do."""

    def _seen(self, path: Path):  # type: ignore[no-untyped-def]
        try:
            return super()._seen(path)
        except OSError as error:
            raise BadInput("No picture.", str(path), "Give one.") from error


def test_what_is_left_out_makes_room_for_others(pictured: Opened) -> None:
    looks = Looks(Colours())
    every = [one.item for one in looks.find(pictured, "green", 99)]
    assert len(every) == len(set(every)) == 39
    for k, without in ((3, every[:5]), (39, every[1::2]), (5, []), (1, ["nobody"])):
        found = [one.item for one in looks.find(pictured, "green", k, without)]
        assert found == [item for item in every if item not in without][:k]
    assert looks.find(pictured, "green", 5, every) == []


def test_the_same_words_find_the_same(pictured: Opened) -> None:
    """Items that are equally like the words stand in the order of the catalogue."""
    found = Looks(Colours()).find(pictured, "red", 13)
    assert found == Looks(Colours()).find(pictured, "red", 13)
    numbers = [int(one.item[1:]) for one in found]
    named = list(pictured.pictures.files())
    assert numbers == sorted(numbers, key=lambda number: named.index(f"i{number}"))


@pytest.mark.parametrize("words", ["", "\ud800", "no colour at all", "green " * 500])
def test_any_words_find_as_many(pictured: Opened, words: str) -> None:
    assert len(Looks(Colours()).find(pictured, words, 4)) == 4


def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    for name in (tmp_path, "no/such", ""):
        with pytest.raises(BadInput):
            Looks.by(name)
