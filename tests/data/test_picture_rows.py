"""Catalogues with pictures are read whole, or refused with every row that is wrong."""

from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.item_pictures import ItemPictures, Wanted
from tastemaker.data.picture_rows import LISTED, read_item_pictures
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tests.data.pictured import save_items


def look(path: Path) -> str:
    """Of files of this test: one that says `bad` is no picture."""
    if path.read_bytes().startswith(b"bad"):
        raise BadInput("The picture cannot be read: bad.", str(path), "Give a whole one.")
    return path.read_text()


def read(data: object, drop: Path | None = None, **wanted: object) -> ItemPictures:
    return read_item_pictures(data, Wanted(**wanted), look, drop)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abc":
        (tmp_path / f"{name}.png").write_text(name)
    columns = {
        "title": ["A", None, "C"], "text": ["first", "second", ""],
        "image": ["a.png", str(tmp_path / "b.png"), "c.png"],
    }  # fmt: skip
    return save_items(tmp_path, columns)


def test_titles_or_else_texts_and_paths_from_the_table(folder: Path) -> None:
    some = read(folder)
    assert some.item_ids == ("i0", "i1", "i2") and some.titles == ("A", "i1", "C")
    assert some.texts == some.captions == ("A", "second", "C")
    assert some.paths == tuple(folder / f"{name}.png" for name in "abc")
    assert some.hashes == ("a", "b", "c") and not some.dropped
    assert read(folder / "items.csv").sha256 == some.sha256
    assert read(folder, text="all").texts[0] == "title: A; text: first"


def test_a_frame_and_a_log_beside_make_no_difference(folder: Path) -> None:
    frame = pl.read_csv(folder / "items.csv").with_columns(
        image=pl.format("{}/{}.png", pl.lit(str(folder)), pl.Series(list("abc")))
    )
    (folder / "interactions.csv").write_text("user_id,item_id,timestamp\nu,i0,1\n")
    assert read(frame).sha256 == read(folder).sha256


def test_every_row_that_is_wrong_is_listed(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("bad")
    (tmp_path / "none.png").write_text("")
    (tmp_path / "ok.png").write_text("ok")
    (tmp_path / "folder.png").mkdir()
    images = ["gone.png", "bad.png", "none.png", "https://x.org/a.png", None, "folder.png",
              "also-gone.png", "ok.png", "a\0b", "~nobody/x.png"]  # fmt: skip
    titles = [None if n in (0, 7) else "t" for n in range(len(images))]
    with pytest.raises(BadData) as fault:
        read(pl.DataFrame({"item_id": range(len(images)), "image": images, "title": titles}).
             with_columns(image=_under(tmp_path)))  # fmt: skip
    told = {(p.row, p.column) for p in fault.value.problems}
    assert told == {(1, "title"), (8, "title"), *((row, "image") for row in (*range(1, 8), 9, 10))}
    assert len(told) == len(fault.value.problems)
    assert all(p.fix and p.what and p.count == 1 for p in fault.value.problems)


def _under(folder: Path) -> pl.Expr:
    own = pl.col("image").str.contains(r"^[a-z-]+\.png$")
    return pl.when(own).then(pl.format("{}/{}", pl.lit(str(folder)), "image")).otherwise("image")


def test_a_long_list_ends_in_a_count(tmp_path: Path) -> None:
    images = [f"{n}.png" for n in range(LISTED + 50)]
    with pytest.raises(BadData) as fault:
        read(save_items(tmp_path, {"image": images, "title": images}))
    assert len(fault.value.problems) == LISTED
    assert sum(problem.count for problem in fault.value.problems) == LISTED + 50


def test_bad_rows_are_left_out_where_that_is_asked_for(folder: Path) -> None:
    (folder / "b.png").unlink()
    some = read(folder, folder / "bad.csv")
    assert some.item_ids == ("i0", "i2") and some.dropped == 1
    told = pl.read_csv(folder / "bad.csv").row(0, named=True)
    assert told["row"] == 2 and told["reason"].startswith("image: ")
    for name in "ac":
        (folder / f"{name}.png").unlink()
    with pytest.raises(BadData):
        read(folder, folder / "bad.csv")


@pytest.mark.parametrize(
    ("columns", "wanted", "column"),
    [
        ({"title": ["a"]}, {}, "image"),
        ({"photo": ["a"], "title": ["a"]}, {}, "image"),
        ({"image": ["a"]}, {}, "title"),
        ({"image": ["a"], "title": ["a"]}, {"text": "text"}, "text"),
        ({"image": ["a"], "title": ["a"]}, {"caption": "text"}, "text"),
    ],
)
def test_missing_columns(
    tmp_path: Path, columns: dict[str, list[str]], wanted: dict[str, str], column: str
) -> None:
    with pytest.raises(BadData) as fault:
        read(save_items(tmp_path, columns), **wanted)
    assert [problem.column for problem in fault.value.problems] == [column]


def test_faults_of_the_catalogue_and_missing_columns_come_together(tmp_path: Path) -> None:
    folder = save_items(tmp_path, {"item_id": ["a", "a"], "title": ["x", "y"]})
    with pytest.raises(BadData) as fault:
        read(folder)
    assert {problem.column for problem in fault.value.problems} == {"item_id", "image"}


def test_what_is_not_wanted_is_not_looked_at(folder: Path) -> None:
    (folder / "a.png").unlink()
    texts = read(folder, pictures=False)
    assert texts.texts == ("A", "second", "C") and not texts.paths
    save_items(folder, {"title": [None], "image": ["b.png"]})
    assert read(folder, texts=False).hashes == ("b",)


def test_a_folder_without_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="catalogue"):
        read(tmp_path)


def many(folder: Path, count: int = 3) -> pl.DataFrame:
    for n in range(count):
        (folder / f"{n}.png").write_text(str(n))
    images = [f"{n}.png" for n in range(count)]
    ids = [f"i{n}" for n in range(count)]
    return pl.DataFrame({"item_id": ids, "image": images, "title": [f"t{n}" for n in range(count)]})


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv", "jsonl", "arrow"])
def test_any_table_that_is_read_elsewhere_is_read_here(tmp_path: Path, ending: str) -> None:
    frame, path = many(tmp_path), tmp_path / f"items.{ending}"
    if ending == "parquet":
        frame.write_parquet(path)
    elif ending == "arrow":
        frame.write_ipc(path)
    elif ending == "jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_csv(path, separator="," if ending == "csv" else "\t")
    assert read(tmp_path).titles == read(path).titles == ("t0", "t1", "t2")


def test_the_row_of_a_file_counts_blank_lines(tmp_path: Path) -> None:
    many(tmp_path)
    rows = ["item_id,image,title", "i0,0.png,t", "", "i1,gone.png,t", "i2,2.png,t"]
    (tmp_path / "items.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(BadData) as fault:
        read(tmp_path)
    (problem,) = fault.value.problems
    assert (problem.row, problem.value) == (3, "'gone.png'")
    assert problem.file == str(tmp_path / "items.csv") and str(tmp_path) in problem.fix


def test_several_columns_of_one_row_are_all_named(tmp_path: Path) -> None:
    columns = {"image": ["gone.png"], "title": [""], "text": [" "]}
    with pytest.raises(BadData) as fault:
        read(save_items(tmp_path, columns), text="title", caption="text")
    assert [problem.column for problem in fault.value.problems] == ["title", "text", "image"]


def test_a_blank_title_gives_way_to_the_text(tmp_path: Path) -> None:
    many(tmp_path, 2)
    columns = {"image": ["0.png", "1.png"], "title": ["  ", " T "], "text": ["X", "Y"]}
    some = read(save_items(tmp_path, columns))
    assert some.texts == ("X", "T") and some.titles[0] == "i0"
    assert read(tmp_path, text="text").captions == ("X", "T")
    assert read(tmp_path, text="all").texts == ("title:   ; text: X", "title:  T ; text: Y")


def test_a_missing_library_is_said_and_not_taken_for_a_bad_picture(tmp_path: Path) -> None:
    def without(path: Path) -> str:
        raise BadInput("A library is missing: PIL.", "the extra", "Run `pip install 'x[vision]'`.")

    many(tmp_path).write_csv(tmp_path / "items.csv")
    with pytest.raises(BadInput) as fault:
        read_item_pictures(tmp_path, Wanted(), without)
    assert not isinstance(fault.value, BadData)


@pytest.mark.parametrize("data", ["nowhere", "../..\0", "/dev/null"])
def test_what_is_no_catalogue(data: str) -> None:
    with pytest.raises(BadInput):
        read(data)


def test_two_catalogues_are_not_chosen_between(tmp_path: Path) -> None:
    frame = many(tmp_path)
    frame.write_csv(tmp_path / "items.csv")
    frame.write_parquet(tmp_path / "items.parquet")
    with pytest.raises(BadInput, match=r"items\.csv, items\.parquet"):
        read(tmp_path)


def test_a_link_to_a_picture_is_a_picture(tmp_path: Path) -> None:
    many(tmp_path, 1)
    (tmp_path / "link.png").symlink_to(tmp_path / "0.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "gone.png")
    folder = save_items(tmp_path, {"image": ["link.png"], "title": ["t"]})
    assert read(folder).hashes == ("0",)
    save_items(tmp_path, {"image": ["broken.png"], "title": ["t"]})
    with pytest.raises(BadData):
        read(folder)


def test_dropped_rows_are_counted_once_however_much_is_wrong(tmp_path: Path) -> None:
    many(tmp_path, 1)
    columns = {"image": ["0.png", "gone.png", "=gone.png"], "title": ["t", "", "t"]}
    some = read(save_items(tmp_path, columns), tmp_path / "bad.csv")
    assert some.dropped == 2 and len(some) == 1
    written = pl.read_csv(tmp_path / "bad.csv")
    assert (
        written["row"].to_list() == [2, 2, 3]
        and not read(tmp_path / "items.csv", tmp_path / "b").rows([]).item_ids
    )
    assert not any(str(value).startswith("=") for value in written["value"])


def test_ids_that_are_numbers_are_texts(folder: Path) -> None:
    columns = {
        "item_id": [10, 9, 100],
        "image": ["a.png", "b.png", "c.png"],
        "title": ["x", 3, 4.5],
    }
    some = read(save_items(folder, {**columns, "title": ["3", "x", "4.5"]}))
    assert some.item_ids == ("10", "9", "100") and some.titles == ("3", "x", "4.5")
    frame = pl.DataFrame({"item_id": [1, 2], "title": ["a", "b"],
                          "image": [str(folder / "a.png"), str(folder / "b.png")]})  # fmt: skip
    assert read(frame).item_ids == ("1", "2")


def test_one_item_and_items_of_one_picture_are_read(folder: Path) -> None:
    """Too few to learn from, but not to be encoded or captioned."""
    one = read(save_items(folder, {"image": ["a.png"], "title": ["A"]}))
    assert len(one) == 1 and one.doubles() == {"texts": 0, "pictures": 0}
    same = read(save_items(folder, {"image": ["a.png"] * 3, "title": ["A", "B", "B"]}))
    assert set(same.hashes) == {"a"} and same.doubles() == {"texts": 2, "pictures": 3}


@pytest.mark.parametrize(
    "text",
    ["<image>", "<|end|><|assistant|>", "a\tb", "=1+1", "日本語 🙂", "e\u0301", "x" * 20_000],
)
def test_texts_of_any_kind_stay_as_they_are(folder: Path, text: str) -> None:
    some = read(save_items(folder, {"image": ["a.png"], "title": [f"  {text}\n"], "text": ["t"]}))
    assert some.texts == (text,) and some.captions == (text,)


@pytest.mark.parametrize("blank", ["", " ", "\t\n", None])
def test_an_item_that_says_nothing_is_named(folder: Path, blank: str | None) -> None:
    columns = {"image": ["a.png", "b.png"], "title": ["A", blank], "text": [None, blank]}
    for wanted, column in (
        ({}, "title"), ({"text": "text"}, "text"), ({"caption": "title"}, "title"),
        ({"text": "all"}, "title"),
    ):  # fmt: skip
        with pytest.raises(BadData) as fault:
            read(save_items(folder, columns), **wanted)
        assert (2, column) in {(p.row, p.column) for p in fault.value.problems}, wanted


def test_what_is_wrong_with_words_and_pictures_comes_together(folder: Path) -> None:
    """All rows, all faults: nobody mends a catalogue one message at a time."""
    (folder / "b.png").write_text("bad")
    columns = {
        "image": ["gone.png", "b.png", "c.png"],
        "title": ["A", "", ""],
        "text": ["", "", "x"],
    }
    with pytest.raises(BadData) as fault:
        read(save_items(folder, columns), text="title", caption="text")
    told = sorted((p.row or 0, p.column) for p in fault.value.problems)
    assert told == [
        (1, "image"),
        (1, "text"),
        (2, "image"),
        (2, "text"),
        (2, "title"),
        (3, "title"),
    ]


def test_dropping_keeps_what_reading_the_rest_would_give(folder: Path) -> None:
    columns = {"item_id": ["x", "y", "z"], "title": ["A", "B", "C"]}
    rest = read(save_items(folder, {k: [v[0], v[2]] for k, v in columns.items()}
                           | {"image": ["a.png", "c.png"]}))  # fmt: skip
    images = ["a.png", "../gone.png", "c.png"]
    kept = read(save_items(folder, columns | {"image": images}), folder / "bad.csv")
    assert kept.sha256 == rest.sha256 and (kept.dropped, rest.dropped) == (1, 0)
    assert pl.read_csv(folder / "bad.csv")["value"].to_list() == ["'../gone.png'"]


def test_a_row_with_two_faults_is_left_out_once(folder: Path) -> None:
    columns = {"image": ["gone.png", "b.png"], "title": ["", "B"]}
    kept = read(save_items(folder, columns), folder / "bad.csv")
    assert kept.dropped == 1 and kept.item_ids == ("i1",)
    assert pl.read_csv(folder / "bad.csv")["row"].to_list() == [1, 1]


def test_a_missing_program_is_no_fault_of_a_row(folder: Path) -> None:
    def without(_: Path) -> str:
        raise BadInput("Pictures need PIL.", "tastemaker[vision]", "pip install it")

    with pytest.raises(BadInput, match="PIL") as fault:
        read_item_pictures(folder, Wanted(), without)
    assert not isinstance(fault.value, BadData)


@pytest.mark.parametrize("image", ["HTTP://x/a.png", "s3://b/a.png", "data:image/png;base64,xx"])
def test_addresses_are_told_from_files(folder: Path, image: str) -> None:
    with pytest.raises(BadData) as fault:
        read(save_items(folder, {"image": [image], "title": ["A"]}))
    assert "address" in fault.value.problems[0].what
    (folder / "data-1.png").write_text("d")
    assert read(save_items(folder, {"image": ["data-1.png"], "title": ["A"]})).hashes == ("d",)


def test_links_that_lead_in_a_circle_or_nowhere_are_named(folder: Path) -> None:
    (folder / "x.png").symlink_to("y.png")
    (folder / "y.png").symlink_to("x.png")
    (folder / "z.png").symlink_to("gone.png")
    columns = {"image": ["x.png", "z.png", "a.png/", "n" * 300 + ".png"], "title": list("ABCD")}
    with pytest.raises(BadData) as fault:
        read(save_items(folder, columns))
    assert {1, 2, 4} <= {p.row for p in fault.value.problems}
