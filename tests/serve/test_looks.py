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
