"""Lists of many users in a file: whole or not there, the same in every format, inert."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.spreadsheet import inert
from tastemaker.errors import BadInput
from tastemaker.run import export, user_lists
from tastemaker.run.export import write_all
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.wishes import Wishes
from tests.run.headed import headed


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_every_format_holds_the_same_table(
    saved: SavedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_lists, "BATCH", 7)
    monkeypatch.setattr(export, "ROWS", 50)
    for name in ("r.parquet", "r.csv", "r.jsonl"):
        found = write_all(saved, None, tmp_path / name, Wishes(3))
        assert found["rows"] == 180
    whole = pl.read_parquet(tmp_path / "r.parquet")
    assert whole.equals(saved.recommend_all(k=3))
    assert pl.read_csv(tmp_path / "r.csv").equals(whole)
    assert pl.read_ndjson(tmp_path / "r.jsonl").equals(whole)
    assert {path.name for path in tmp_path.iterdir()} == {"r.parquet", "r.csv", "r.jsonl"}


def test_unknown_users_are_answered_and_counted(saved: SavedRun, tmp_path: Path) -> None:
    found = write_all(saved, ["u1", "nobody", 7, "u1"], tmp_path / "r.jsonl", Wishes(2))
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [(row["user_id"], row["known"], row["rank"]) for row in rows] == [
        ("u1", True, 1), ("u1", True, 2), ("nobody", False, 1), ("nobody", False, 2),
        ("7", False, 1), ("7", False, 2),
    ]  # fmt: skip
    assert {row["model"] for row in rows if not row["known"]} == {"popularity"}
    assert (found["users"], found["unknown"], found["empty"], found["short"]) == (3, 2, 0, 0)


def test_users_without_enough_items_are_counted(saved: SavedRun, tmp_path: Path) -> None:
    seen = saved.interactions.decode(saved.context("u1").items)
    found = write_all(saved, ["u1", "nobody"], tmp_path / "r.csv", Wishes(5, allow=seen[:2]))
    assert (found["empty"], found["short"], found["rows"]) == (1, 1, 2)
    found = write_all(saved, ["u1"], tmp_path / "r.parquet", Wishes(5, allow=seen))
    assert (found["empty"], found["rows"]) == (1, 0)
    assert pl.read_parquet(tmp_path / "r.parquet").is_empty()


def test_a_failed_export_leaves_what_was_there(
    saved: SavedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "r.csv"
    to.write_text("old")
    with pytest.raises(BadInput, match="is no id"):
        write_all(saved, ["u1", None], to, Wishes())  # type: ignore[list-item]
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(pl.DataFrame, "write_csv", lambda *args, **options: 1 / 0)
        patch.setattr(user_lists, "best_items", lambda *args: (_ for _ in ()).throw(RuntimeError))
        write_all(saved, ["u1"], to, Wishes())
    assert to.read_text() == "old"
    assert list(tmp_path.iterdir()) == [to]


def test_nothing_is_written_into_a_run(saved: SavedRun) -> None:
    for place in (saved.path / "users.parquet", saved.path / "checkpoints" / "r.csv"):
        with pytest.raises(BadInput, match="own folder"):
            write_all(saved, None, place, Wishes())


def test_cells_do_not_run_in_a_spreadsheet() -> None:
    table = pl.DataFrame({"title": ["=1+1", "@x", "-a", "plain", "\tx"], "score": [-1.0] * 5})
    safe = inert(table)
    assert safe["title"].to_list() == ["'=1+1", "'@x", "'-a", "plain", "'\tx"]
    assert safe["score"].to_list() == [-1.0] * 5


def test_formulas_of_the_data_are_inert_in_the_file(
    saved: SavedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(saved.shelf), "titles", ["=cmd|' /C calc'!A0"] * 40)
    monkeypatch.setitem(vars(saved), "_titles", pl.Series(["=cmd|' /C calc'!A0"] * 40))
    write_all(saved, ["=evil()"], tmp_path / "r.csv", Wishes(2))
    with (tmp_path / "r.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            assert row["title"].startswith("'=")
            assert row["user_id"].startswith("'=")


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_file_says_what_spoke_and_which_heads_were_asked(
    saved: SavedRun, tmp_path: Path, ending: str
) -> None:
    run, to = headed(saved), tmp_path / f"r.{ending}"
    found = write_all(run, None, to, Wishes(2, only=["short-term"], boost={"Odd": 0.1}))
    assert found["model"] == "priors"
    assert "Only what short-term heads say." in found["remarks"]
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "jsonl": pl.read_ndjson}[ending]
    table = read(to)  # type: ignore[operator]
    assert table["intent"].str.starts_with("short-term · ").all()
    assert set(table["model"]) == {"priors"}
    with pytest.raises(BadInput, match="short-term"):
        write_all(run, None, tmp_path / "no.csv", Wishes(only=["shrt-term"]))
    assert not (tmp_path / "no.csv").exists()
