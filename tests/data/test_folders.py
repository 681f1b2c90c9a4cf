"""A folder's log is found by name; two that could be meant are refused, never chosen between."""

from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.datasets import load, names
from tastemaker.data.folders import find_items, find_log, holds_log, looks_like_log
from tastemaker.errors import BadInput

ROWS = "user_id,item_id,timestamp\nu,a,1\nu,b,2\n"
SEQUENCES = "u a b\nv a\n"


def fill(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


@pytest.mark.parametrize("name", ["purchases.csv", "clicks.tsv", "log.jsonl", "mine.txt"])
def test_one_log_of_another_name_is_read(tmp_path: Path, name: str) -> None:
    text = ROWS.replace(",", "\t") if name.endswith("tsv") else ROWS
    text = '{"user_id": "u", "item_id": "a", "timestamp": 1}\n' * 1 if "json" in name else text
    (tmp_path / name).write_text(SEQUENCES if name.endswith("txt") else text)
    fill(tmp_path, README__txt="The data. Use them well.", items__csv="item_id,title\na,A\nb,B\n")
    found = load(tmp_path)
    assert found.interactions.num_events
    assert len(found.catalog.frame) == 2


def test_the_only_one_that_looks_like_a_log_is_read(tmp_path: Path) -> None:
    fill(tmp_path, purchases__csv=ROWS, users__csv="user_id,age\nu,7\n", notes__txt="A cup\t0\n")
    assert find_log(tmp_path) == tmp_path / "purchases.csv"


def test_the_only_file_is_read_even_if_it_must_be_mended(tmp_path: Path) -> None:
    fill(tmp_path, purchases__csv="customer,product,at\n1,2,3\n")
    with pytest.raises(BadInput, match="column is missing"):
        load(tmp_path)


@pytest.mark.parametrize(
    "held",
    [
        ("interactions.csv", "interactions.parquet"),
        ("a.csv", "b.csv"),
        ("x.inter", "y.inter"),
        ("x.inter", "x.train.inter", "x.test.inter"),
        ("interactions.csv", "train.csv", "test.csv"),
        ("train.csv", "train.tsv"),
        ("sequences.txt", "sequences.txt.gz"),
    ],
)
def test_two_that_could_be_meant_are_refused(tmp_path: Path, held: tuple[str, ...]) -> None:
    for name in held:
        (tmp_path / name).write_text(ROWS.replace(",", "\t") if "inter" in name else ROWS)
    if held[0] == "train.csv":
        (tmp_path / "test.csv").write_text(ROWS)
    with pytest.raises(BadInput) as caught:
        load(tmp_path)
    assert all(name in caught.value.what for name in held)
    assert not holds_log(tmp_path)


def test_two_catalogues_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, interactions__csv=ROWS, items__csv="item_id\na\nb\n")
    assert find_items(tmp_path) is not None
    pl.DataFrame({"item_id": ["a", "b"]}).write_parquet(tmp_path / "items.parquet")
    with pytest.raises(BadInput, match=r"items\.csv, items\.parquet"):
        load(tmp_path)


@pytest.mark.parametrize(
    "held", [("test.csv",), ("valid.csv", "test.csv"), ("train.csv", "dev.csv")]
)
def test_half_a_split_is_no_log(tmp_path: Path, held: tuple[str, ...]) -> None:
    for name in held:
        (tmp_path / name).write_text(ROWS)
    with pytest.raises(BadInput, match=r"no (train|test) file"):
        load(tmp_path)


def test_a_folder_without_a_log_says_what_it_holds(tmp_path: Path) -> None:
    fill(tmp_path, README__txt="x", picture__png="x")
    with pytest.raises(BadInput) as caught:
        load(tmp_path)
    assert "README.txt, picture.png" in caught.value.what
    assert "interactions.csv" in caught.value.fix


def test_names_are_those_of_folders_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {
        "shop": ("purchases.csv", ROWS),
        "split": ("train.csv", ROWS),
        "sums": ("train.jsonl", '{"question": "1+1", "answer": "2"}\n'),
        "other": ("t.csv", "userId,movieId\n1,2\n"),
        "prose": ("story.txt", "The fox ran home\nThe dog ran too\n"),
    }
    for name, (file, text) in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
        if file.startswith("train"):
            (tmp_path / name / file.replace("train", "test")).write_text(text)
    monkeypatch.setenv("TASTEMAKER_DATA", str(tmp_path))
    assert list(names()) == ["movielens-small", "shop", "split"]


def test_what_looks_like_a_log(tmp_path: Path) -> None:
    fill(
        tmp_path, a__csv="visitorid,itemid\n", b__csv="item_id,title\n", c__jsonl="", d__txt="u a\n"
    )
    looks = [looks_like_log(path) for path in sorted(tmp_path.iterdir())]
    assert looks == [True, False, False, True]
