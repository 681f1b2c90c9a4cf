"""Which files may be sent, and what of them is."""

import io
import os
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.serve.pictures import ItemPictures


def pictures(folder: Path, names: list[str | None], where: str = "") -> ItemPictures:
    """Those of items a, b, …"""
    known = {"item_id": list("abcdefgh")[: len(names)], "image": names}
    rows = {name: known.get(name) or [None] * len(names) for name in SCHEMA}
    return ItemPictures(Catalog(pl.DataFrame(rows, SCHEMA), str(folder)), where)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "in").mkdir(parents=True)
    Image.new("RGB", (40, 20), "red").save(folder / "in" / "a.png")
    Image.new("RGB", (40, 20), "red").save(tmp_path / "secret.png")
    return folder


def test_files_outside_the_folder_are_never_sent(shop: Path, tmp_path: Path) -> None:
    (shop / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(shop / "pipe.png")
    names = ["in/a.png", "../secret.png", str(tmp_path / "secret.png"), "link.png", "pipe.png",
             "in", "http://a.example/b.png", "x\0.png"]  # fmt: skip
    found = pictures(shop, names)
    assert [item in found for item in "abcdefgh"] == [True] + [False] * 7
    assert list(found.files()) == ["a"] and "z" not in found
    assert found.shown("b") is None and found.shown("a") is not None


def test_what_is_no_picture_is_not_sent(shop: Path) -> None:
    (shop / "page.png").write_text("<script>alert(1)</script>")
    (shop / "none.png").touch()
    found = pictures(shop, ["page.png", "none.png", None, " "])
    assert [found.shown(item) for item in "abcd"] == [None] * 4
    assert "a" in found and "c" not in found


def test_nothing_of_a_file_but_its_picture_is_sent(shop: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    Image.new("RGB", (9, 9), "red").save(shop / "told.jpg", exif=exif)
    found = pictures(shop, ["told.jpg"])
    shown = found.shown("a")
    assert shown and b"where I live" in (shop / "told.jpg").read_bytes()
    assert b"where I live" not in shown.body


def test_a_picture_that_changes_is_sent_anew(shop: Path) -> None:
    found = pictures(shop, ["in/a.png"])
    before = found.shown("a")
    assert found.shown("a") is before
    Image.new("RGB", (10, 50), "blue").save(shop / "in" / "a.png")
    after = found.shown("a")
    assert before and after and before.tag != after.tag
    assert Image.open(io.BytesIO(after.body)).size == (10, 50)
    (shop / "in" / "a.png").unlink()
    assert found.shown("a") is None


def test_the_folder_may_be_another(shop: Path, tmp_path: Path) -> None:
    gone = pictures(tmp_path / "gone", ["in/a.png"])
    assert not gone and "a" not in gone
    found = pictures(tmp_path / "gone", ["in/a.png"], str(shop))
    assert found and "a" in found
    assert not pictures(shop, [None])


def test_a_link_that_took_the_place_of_a_picture_is_not_followed(
    shop: Path, tmp_path: Path
) -> None:
    """It was a picture of the folder when it was first asked for."""
    found = pictures(shop, ["in/a.png"])
    assert found.shown("a") is not None
    (shop / "in" / "a.png").unlink()
    (shop / "in" / "a.png").symlink_to(tmp_path / "secret.png")
    assert found.shown("a") is None and "a" not in found and not found.files()


def test_a_folder_that_became_a_link_is_not_followed(shop: Path, tmp_path: Path) -> None:
    found = pictures(shop, ["in/a.png"])
    assert "a" in found
    (shop / "in").rename(tmp_path / "out")
    (shop / "in").symlink_to(tmp_path / "out")
    assert found.shown("a") is None


def test_a_picture_that_arrives_later_is_sent(shop: Path) -> None:
    found = pictures(shop, ["late.png"])
    assert "a" not in found and found.shown("a") is None
    Image.new("RGB", (8, 8), "red").save(shop / "late.png")
    assert "a" in found and found.shown("a") is not None


def test_links_inside_the_folder_are_followed(shop: Path) -> None:
    (shop / "b.png").symlink_to("in/a.png")
    found = pictures(shop, ["b.png", "in/../in/a.png", str(shop / "in" / "a.png")])
    shown = [found.shown(item) for item in "abc"]
    assert all(one is not None for one in shown) and len({one.tag for one in shown if one}) == 1


def test_the_copies_that_are_held_are_the_last_ones(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemaker.serve.pictures.KEPT", 2)
    for number, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (8, 8), colour).save(shop / f"{number}.png")
    found = pictures(shop, ["0.png", "1.png", "2.png"])
    first, second = found.shown("a"), found.shown("b")
    assert found.shown("a") is first  # and so the other is the older one
    found.shown("c")
    assert found.shown("a") is first
    again = found.shown("b")
    assert again is not second and again and second and again.tag == second.tag


def test_ids_and_names_of_any_kind(shop: Path) -> None:
    """Ids are compared whole; names are those of files, spaces around them aside."""
    (shop / "Bild é 日.png").write_bytes((shop / "in" / "a.png").read_bytes())
    found = pictures(shop, ["  Bild é 日.png ", "IN/A.PNG", "~/a.png", "%69n/a.png"])
    assert [item in found for item in "abcd"] == [True, False, False, False]
    assert "A" not in found and "" not in found and None not in found and 3 not in found
