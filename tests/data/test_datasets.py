"""Names, folders and files: every public format becomes the same log."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.datasets import load, names
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput


def test_the_embedded_data_needs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASTEMAKER_DATA", raising=False)
    assert list(names()) == ["movielens-small"]
    found = load()
    log = found.interactions
    assert (log.num_events, log.num_users, log.num_items) == (100_004, 671, 9_066)
    assert found.catalog.frame["title"].null_count() == 5  # the source leaves five without one
    assert found.declared.positive_events == ("rating",)
    assert log.bytes_per_event <= 24
    assert leave_one_out(log).summary()["test_users"] == 671


def test_the_embedded_data_is_the_public_one(shared_data: Path) -> None:
    if not (shared_data / "ml-latest-small").is_dir():
        pytest.skip("ml-latest-small is not in the folder of real data")
    public = load(shared_data / "ml-latest-small")
    assert public.interactions.sha256 == load().interactions.sha256
    known = load().catalog.frame.select("item_id", "title", pl.col("categories").list.sort())
    other = public.catalog.frame.select("item_id", "title", pl.col("categories").list.sort())
    joined = known.join(other, on="item_id", suffix=" public")
    assert len(joined) == 9_066
    assert (joined["categories"] == joined["categories public"]).all()
    assert (
        joined["title"].str.strip_chars() == joined["title public"].str.strip_chars()
    ).mean() > 0.99


def test_a_description_says_what_a_reader_wants_first() -> None:
    found = load().describe()
    assert found["from_to"] == ["1995-01-09", "2016-10-16"]
    assert found["history_longest"] == 2391
    assert 0 < found["density"] < 1
    assert 0.1 < found["share_of_top_tenth"] < 1
    order_only = load(pl.DataFrame({"user_id": ["a"], "item_id": ["x"], "timestamp": [0]}))
    assert order_only.describe()["from_to"] == ["1970-01-01", "1970-01-01"]


ROWS = [("1", "10", 5.0, 100), ("1", "20", 3.0, 200), ("2", "10", 1.0, 150)]


def same(folder: Path | str) -> None:
    log = load(folder).interactions
    got = [(log.user_ids[user], log.decode(log.history(user))) for user in range(log.num_users)]
    assert got == [("1", ["10", "20"]), ("2", ["10"])]


def test_movielens_csv(tmp_path: Path) -> None:
    text = "userId,movieId,rating,timestamp\n" + "".join(
        f"{u},{i},{v},{t}\n" for u, i, v, t in ROWS
    )
    (tmp_path / "ratings.csv").write_text(text)
    movies = (
        'movieId,title,genres\n10,"Ten, the film (1990)",Drama|War\n20,Twenty,(no genres listed)\n'
    )
    (tmp_path / "movies.csv").write_text(movies)
    same(tmp_path)
    found = load(tmp_path)
    assert found.interactions.values is not None
    assert found.interactions.values.tolist() == [5.0, 3.0, 1.0]
    assert found.catalog.frame["categories"].to_list() == [["Drama", "War"], []]
    assert found.catalog.frame["title"][0] == "Ten, the film (1990)"


def test_movielens_dat(tmp_path: Path) -> None:
    text = "".join(f"{u}::{i}::{v}::{t}\n" for u, i, v, t in ROWS)
    (tmp_path / "ratings.dat").write_text(text)
    movies = "10::Misérables, Les (1995)::Drama|Musical\n20::Two::(no genres listed)\n"
    (tmp_path / "movies.dat").write_bytes(movies.encode("latin-1"))
    same(tmp_path)
    assert load(tmp_path).catalog.frame["title"][0] == "Misérables, Les (1995)"
    assert load(tmp_path).catalog.frame["categories"].to_list() == [["Drama", "Musical"], []]


def test_recbole(tmp_path: Path) -> None:
    head = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    (tmp_path / "x.inter").write_text(
        head + "".join(f"{u}\t{i}\t{v}\t{t}.0\n" for u, i, v, t in ROWS)
    )
    head = "item_id:token\tmovie_title:token_seq\tclass:token_seq\n"
    items = head + '10\tTen "10"\tDrama War\n20\tTwenty\tWar\n'
    (tmp_path / "x.item").write_text(items)
    same(tmp_path)
    assert load(tmp_path).catalog.frame["categories"].to_list() == [["Drama", "War"], ["War"]]
    assert load(tmp_path).catalog.frame["title"][0] == 'Ten "10"'


@pytest.mark.parametrize("zipped", [True, False])
def test_sequences(tmp_path: Path, zipped: bool) -> None:
    raw = b"1 10 20\n\n2 10\n"
    name = "sequences.txt.gz" if zipped else "sequences.txt"
    (tmp_path / name).write_bytes(gzip.compress(raw) if zipped else raw)
    same(tmp_path)
    same(tmp_path / name)
    assert load(tmp_path).interactions.times is None


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow"])
def test_our_own_formats(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame(ROWS, ["user_id", "item_id", "value", "timestamp"], orient="row")
    path = tmp_path / f"interactions.{suffix}"
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "arrow": frame.write_ipc}[suffix](path)
    same(tmp_path)
    same(str(path))
    assert load(path).name == "interactions"
    assert load(tmp_path).name == tmp_path.name


def test_names_are_looked_up_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "sequences.txt").write_text("1 10 20\n2 10\n")
    (tmp_path / "not-data").mkdir()
    monkeypatch.setenv("TASTEMAKER_DATA", str(tmp_path))
    assert list(names()) == ["movielens-small", "mine"]
    same("mine")
    monkeypatch.setenv("TASTEMAKER_DATA", str(tmp_path / "missing"))
    assert list(names()) == ["movielens-small"]
    with pytest.raises(BadInput, match="movielens-small"):
        load("mine")


@pytest.mark.parametrize(
    "name", ["../mine", "/etc/../etc/passwd\0", "C:\\nul", "%2e%2e", "movielens-small/../x"]
)
def test_names_do_not_wander(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput):
        load(name)


def test_a_declaration_beside_a_public_format_is_heard(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(
        '{"name": "renamed", "events": {"rating": "explicit_positive"}}'
    )
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,10,5,100\n")
    found = load(tmp_path)
    assert found.name == "renamed"
    assert found.declared.events == {"rating": "explicit_positive"}


def test_one_event_users_are_legal() -> None:
    log = load(pl.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"], "timestamp": [1, 2]}))
    assert log.interactions.lengths.tolist() == [1, 1]
    assert np.all(log.interactions.offsets == [0, 1, 2])
