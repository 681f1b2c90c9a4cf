"""Every bad table is refused with file, column, row, value and the fix; good ones read exactly."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tastemaker.data import tables
from tastemaker.data.datasets import load
from tastemaker.data.problems import BadData
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput

GOOD = "user_id,item_id,timestamp\nu1,a,10\nu1,b,20\nu1,c,30\nu2,a,5\nu2,c,6\n"


def write(folder: Path, text: str | bytes, name: str = "interactions.csv") -> Path:
    raw = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(raw)
    return folder


def problems(folder: Path, **options: object) -> list:
    with pytest.raises(BadData) as caught:
        load(folder, **options)
    for problem in caught.value.problems:
        assert problem.what and problem.fix and problem.file
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_a_good_table_is_sorted_and_coded(tmp_path: Path) -> None:
    log = load(write(tmp_path, GOOD)).interactions
    assert log.user_ids.to_list() == ["u1", "u2"]
    assert log.offsets.tolist() == [0, 3, 5]
    assert log.decode(log.history(0)) == ["a", "b", "c"]
    assert log.times is not None
    assert log.times.tolist() == [10, 20, 30, 5, 6]
    # first seen first: a at 5, c at 6, b at 20
    assert log.item_ids.to_list() == ["a", "c", "b"]


CASES = [
    # name, file contents, column, row, words of the cause
    ("renamed column", GOOD.replace("timestamp", "time"), "timestamp", None, "missing"),
    ("missing column", "user_id,timestamp\nu,1\n", "item_id", None, "missing"),
    ("header only", "user_id,item_id,timestamp\n", "", None, "no rows"),
    ("empty file", "", "", None, "empty"),
    ("text time", GOOD + "u2,b,soon\n", "timestamp", 6, "not a time"),
    ("nan time", GOOD + "u2,b,nan\n", "timestamp", 6, "not a time"),
    ("infinite time", GOOD + "u2,b,inf\n", "timestamp", 6, "not a time"),
    ("negative time", GOOD + "u2,b,-7\n", "timestamp", 6, "negative"),
    ("milliseconds among seconds", GOOD + "u2,b,1500000000000\n", "timestamp", 6, "2100"),
    ("time beyond int64", GOOD + "u2,b,99999999999999999999\n", "timestamp", 6, "2100"),
    ("missing time", GOOD + "u2,b,\n", "timestamp", 6, "not a time"),
    ("null user", GOOD + ",b,7\n", "user_id", 6, "missing"),
    ("null item", GOOD + "u2,,7\n", "item_id", 6, "missing"),
    ("duplicate row", GOOD + "u2,a,5\n", "", 6, "repeats"),
    ("long id", GOOD + f"u2,{'x' * 1025},7\n", "item_id", 6, "longer than 1,024"),
    ("control characters", GOOD + "u2,b\x07,7\n", "item_id", 6, "control characters"),
    ("ragged row", GOOD + "u2,b,7,8\n", "", 6, "4 fields"),
    ("short row", GOOD + "u2,b\n", "timestamp", 6, "not a time"),
    ("not utf-8", GOOD.encode() + b"u\xff,b,7\n", "", 6, "UTF-8"),
    ("binary", b"PK\x03\x04\x00\x00\x00", "", 1, "binary"),
    (
        "undeclared event",
        GOOD.replace("\n", ",view\n").replace("timestamp,view", "timestamp,event") + "u2,b,9,buy\n",
        "event",
        6,
        "not declared",
    ),
    (
        "null event",
        GOOD.replace("\n", ",view\n").replace("timestamp,view", "timestamp,event") + "u2,b,9,\n",
        "event",
        6,
        "missing",
    ),
    (
        "nan value",
        GOOD.replace("\n", ",1\n").replace("timestamp,1", "timestamp,value") + "u2,b,9,nan\n",
        "value",
        6,
        "finite",
    ),
    (
        "text value",
        GOOD.replace("\n", ",1\n").replace("timestamp,1", "timestamp,value") + "u2,b,9,good\n",
        "value",
        6,
        "finite",
    ),
    (
        "mixed zones",
        "user_id,item_id,timestamp\nu,a,2020-01-01T00:00:00Z\nu,b,2020-01-02 00:00:00\n",
        "timestamp",
        2,
        "zone",
    ),
]


@pytest.mark.parametrize(
    ("name", "text", "column", "row", "cause"), CASES, ids=[c[0] for c in CASES]
)
def test_bad_csv(
    tmp_path: Path, name: str, text: str | bytes, column: str, row: int | None, cause: str
) -> None:
    found = problems(write(tmp_path, text))
    match = [p for p in found if p.column == column and cause in p.what]
    assert match, found
    assert match[0].row == row
    assert "interactions.csv" in match[0].file


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = GOOD + ",b,nan\nu2,,-1\nu2,b,1500000000000\nu2,a,5\n"
    found = problems(write(tmp_path, text))
    assert {(p.column, p.row) for p in found} >= {
        ("user_id", 6),
        ("timestamp", 6),
        ("item_id", 7),
        ("timestamp", 7),
        ("timestamp", 8),
        ("", 9),
    }


@pytest.mark.parametrize("header", ["userId,movieId,ts", "session_id;product_id;created_at"])
def test_every_column_of_another_name_is_named_at_once(tmp_path: Path, header: str) -> None:
    sep = ";" if ";" in header else ","
    found = problems(write(tmp_path, f"{header}\n" + sep.join("123") + "\n"))
    assert [p.column for p in found] == ["user_id", "item_id", "timestamp"]
    for problem, real in zip(found, header.split(sep), strict=True):
        assert problem.fix == f"Rename column {real!r} to {problem.column!r}."


def test_counts_and_first_row_of_a_repeated_problem(tmp_path: Path) -> None:
    found = problems(write(tmp_path, GOOD + "u2,b,x\nu2,b,8\nu2,b,y\n"))
    assert [(p.row, p.count, p.value) for p in found] == [(6, 2, "'x'")]


def test_dropping_says_how_many_and_writes_them(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rejected = tmp_path / "bad.csv"
    found = load(write(folder, GOOD + "u2,=cmd(),-7\n,b,7\n"), bad_rows=rejected)
    assert found.interactions.num_events == 5
    assert "=cmd()" not in found.interactions.item_ids.to_list()
    assert len(found.dropped) == 2
    rows = pl.read_csv(rejected)
    assert rows["row"].to_list() == [6, 7]
    assert "negative" in rows["reason"][0]


def test_dropped_cells_cannot_run_in_a_spreadsheet(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("timestamp\n", "timestamp\n") + "u9,b,=1+1\n")
    load(tmp_path, bad_rows=tmp_path / "bad.csv")
    assert "'=1+1" in (tmp_path / "bad.csv").read_text()


def test_dropping_everything_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "user_id,item_id,timestamp\nu,a,-1\n")
    assert "no rows that can be used" in problems(tmp_path, bad_rows=tmp_path / "bad.csv")[-1].what


def test_items_missing_from_the_catalogue_are_legal(tmp_path: Path) -> None:
    write(tmp_path, "item_id,title\na,A\nb,B\n", "items.csv")
    found = load(write(tmp_path, GOOD))
    assert found.interactions.num_events == 5
    aligned = found.catalog.align(found.interactions.item_ids)
    assert dict(zip(aligned.frame["item_id"], aligned.frame["title"], strict=True)) == {
        "a": "A",
        "b": "B",
        "c": None,
    }


@pytest.mark.parametrize("name", ["id", "catalogue"])
def test_ids_that_became_real_numbers(tmp_path: Path, name: str) -> None:
    """A table with a gap turns 7 into 7.0: another id, unless somebody says so."""
    text = "user_id,item_id,timestamp\nu,7.0,1\nu,8.0,2\nv,7.0,3\n"
    if name == "id":
        text += "v,7,4\n"
    else:
        write(tmp_path, "item_id\n7\n", "items.csv")
    (problem,) = problems(write(tmp_path, text))
    assert (problem.column, problem.row, problem.value, problem.count) == ("item_id", 1, "'7.0'", 2)
    assert "point" in problem.what


def test_ids_that_are_all_real_numbers_stay_as_written(tmp_path: Path) -> None:
    write(tmp_path, "user_id,item_id,timestamp\nu,7.0,1\nu,8.0,2\n")
    assert set(load(tmp_path).interactions.item_ids) == {"7.0", "8.0"}


ZONES = {
    "zone first": ["2024-01-01T10:00:00+02:00"] * 6 + ["2024-01-01T09:30:00"] * 3,
    "zone last": ["2024-01-01T09:30:00"] * 3 + ["2024-01-01T10:00:00+02:00"] * 6,
    "numbers between": ["2024-01-01T09:30:00"] * 3 + ["1700000000"] * 3 + ["2024-01-01T10:00:00Z"],
}


@pytest.mark.parametrize("times", ZONES.values(), ids=ZONES)
@pytest.mark.parametrize("batch", [2, 3, 100])
def test_a_missing_zone_is_found_across_batches(
    times: list[str], batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH", batch)
    ids = [f"i{at}" for at in range(len(times))]
    frame = pl.DataFrame({"user_id": "u", "item_id": ids, "timestamp": times})
    with pytest.raises(BadData) as caught:
        load(frame)
    (problem,) = caught.value.problems
    assert (problem.column, problem.count) == ("timestamp", 3)
    assert problem.row == times.index("2024-01-01T09:30:00") + 1
    assert problem.value == "'2024-01-01T09:30:00'"


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_every_row_is_either_kept_or_written_as_dropped(
    tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said to be dropped is dropped: of all causes, in batches, with file row numbers."""
    monkeypatch.setattr(tables, "BATCH", batch)
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [
        "u1,a,2024-01-01T10:00:00Z,view,1",
        "u1,b,2024-01-01T11:00:00Z,view,1",
        "u1,c,2024-01-01T09:30:00,view,1",
        "u1,c,2024-01-01T09:30:00Z,view,1",
        ",d,2024-01-01T12:00:00Z,view,x",
        "u1,e,2024-01-01T12:00:00+99:99,view,1",
        "u1,f,2024-01-01T12:00:00Z,buy,1e300",
        f"u1,{'x' * 2000},2024-01-01T12:00:00Z,view,1",
        "u1,a,2024-01-01T10:00:00Z,view,1",
        "u2,a,2024-01-01T10:00:00Z,view,",
    ]
    write(folder, "user_id,item_id,timestamp,event,value\n" + "\n".join(rows) + "\n")
    found = load(folder, bad_rows=tmp_path / "bad.csv")
    log = found.interactions
    dropped = set(pl.read_csv(tmp_path / "bad.csv")["row"])
    assert dropped == set(found.dropped["row"]) == {3, 5, 6, 7, 8, 9}
    assert log.num_events + len(dropped) == len(rows)
    assert log.decode(log.history(0)) == ["c", "a", "b"]
    assert log.values is not None
    assert np.isnan(log.values).tolist() == [False, False, False, True]


def test_logs_may_have_a_value_in_some_rows_only(tmp_path: Path) -> None:
    write(tmp_path, "user_id,item_id,timestamp,value\nu,a,1,\nu,b,2,4.5\nu,a,1,\n")
    (problem,) = problems(tmp_path)
    assert "repeats" in problem.what
    assert problem.row == 3
    for values in ([None, 4.5], [None, None], ["", None]):
        frame = pl.DataFrame({"user_id": "u", "item_id": ["a", "b"], "timestamp": [1, 2]})
        frame = frame.with_columns(value=pl.Series(values))
        if values == ["", None]:
            with pytest.raises(BadData, match="finite"):
                load(frame)
            continue
        log = load(frame).interactions
        assert log.values is not None
        assert np.array_equal(log.values, np.array(values, np.float32), equal_nan=True)


def test_all_undeclared_events_stand_in_one_problem(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('{"events": {"like": "explicit_positive"}}')
    events = ["like", "skip", "buy", "skip", 'say "hi"', "skip"]
    found = problems(parquet(tmp_path, user_id=list("uvwxyz"), item_id=list("abcdef"),
                             timestamp=[1] * 6, event=events))  # fmt: skip
    (problem,) = found
    assert (problem.column, problem.row, problem.count) == ("event", 2, 5)
    assert "3 events are not declared: 'skip' (3), 'buy' (1)" in problem.what
    start = problem.fix.index("{")
    pasted, _ = json.JSONDecoder().raw_decode(problem.fix[start:])
    assert set(pasted["events"]) == set(events)
    (tmp_path / "dataset.json").write_text(json.dumps(pasted))
    assert load(tmp_path).interactions.num_events == 6


def test_an_event_column_of_ids_is_not_listed_in_full(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user_id": range(3000), "item_id": 1, "timestamp": 1})
    frame.with_columns(event=pl.format("e{}", "user_id")).write_parquet(
        tmp_path / "interactions.parquet"
    )
    (problem,) = problems(tmp_path)
    assert problem.count == 3000
    assert "3,000 kinds" in problem.what
    assert len(str(problem)) < 2000


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("title\nA\n", "missing"),
        ("item_id,title\na,A\na,B\n", "twice"),
        ("item_id,title\n,A\n", "missing"),
        ("item_id,title\n", "no rows"),
    ],
)
def test_bad_catalogues(tmp_path: Path, text: str, cause: str) -> None:
    write(tmp_path, text, "items.csv")
    assert any(cause in p.what and "items.csv" in p.file for p in problems(write(tmp_path, GOOD)))


def parquet(folder: Path, **columns: object) -> Path:
    frame = {"user_id": ["u", "u", "v"], "item_id": ["a", "b", "a"], "timestamp": [1, 2, 3]}
    pl.DataFrame({**frame, **columns}).write_parquet(folder / "interactions.parquet")
    return folder


def test_truncated_parquet(tmp_path: Path) -> None:
    path = parquet(tmp_path) / "interactions.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    assert "cut short" in problems(tmp_path)[0].what


@pytest.mark.parametrize(
    ("column", "values", "cause"),
    [
        ("user_id", [1.0, 2.0, 3.0], "not text or whole numbers"),
        ("item_id", [[1], [2], [3]], "not text or whole numbers"),
        ("timestamp", [[1], [2], [3]], "not times"),
        ("timestamp", [True, False, True], "not times"),
        ("timestamp", [1.0, math.nan, 3.0], "not a time"),
        ("timestamp", [1.0, math.inf, 3.0], "not a time"),
        ("timestamp", [1, None, 3], "not a time"),
        ("timestamp", [1, -2, 3], "negative"),
        ("timestamp", [1, 2**62, 3], "2100"),
    ],
)
def test_bad_parquet_types(tmp_path: Path, column: str, values: list, cause: str) -> None:
    found = problems(parquet(tmp_path, **{column: values}))
    assert any(p.column == column and cause in p.what for p in found)


def test_ids_beyond_int32_and_leading_zeros_stay_what_they_are(tmp_path: Path) -> None:
    log = load(parquet(tmp_path, item_id=[2**31, 2**63 - 1, 2**40])).interactions
    assert set(log.item_ids) == {"2147483648", "9223372036854775807", "1099511627776"}
    write(tmp_path, "user_id,item_id,timestamp\n007,01,1\n7,1,2\n")
    (tmp_path / "interactions.parquet").unlink()
    log = load(tmp_path).interactions
    assert set(log.user_ids) == {"007", "7"}
    assert set(log.item_ids) == {"01", "1"}


def test_non_ascii_and_one_kilobyte_ids(tmp_path: Path) -> None:
    names = ["é" * 512, "日本語", "🎬"]
    log = load(parquet(tmp_path, item_id=names)).interactions
    assert set(log.item_ids) == set(names)


@pytest.mark.parametrize(
    "times",
    [
        ["2020-01-01", "2020-01-02", "2020-01-03"],
        ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00+00:00", "2020-01-02T22:00:00-02:00"],
        ["1577836800", "1577923200.0", "1.5780096e9"],
        pl.Series(["2020-01-01", "2020-01-02", "2020-01-03"]).str.to_date(),
        pl.Series(["2020-01-01", "2020-01-02", "2020-01-03"]).str.to_datetime(time_zone="UTC"),
    ],
)
def test_every_way_to_write_a_time(tmp_path: Path, times: object) -> None:
    log = load(parquet(tmp_path, timestamp=times, user_id=["u", "u", "u"])).interactions
    assert log.times is not None
    assert log.times.tolist() == [1577836800, 1577923200, 1578009600]


def test_declared_milliseconds_keep_their_order(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"time_unit": "ms"}))
    times = [1577836800900, 1577836800100, 1577836800500]
    log = load(parquet(tmp_path, timestamp=times, user_id=["u"] * 3, item_id=["a", "b", "c"]))
    assert log.interactions.decode(log.interactions.items) == ["b", "c", "a"]
    assert log.interactions.times is not None
    assert set(log.interactions.times) == {1577836800}


def test_seconds_among_declared_milliseconds(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"time_unit": "ms"}))
    found = problems(parquet(tmp_path, timestamp=[1577836800000, 1577836800, 1577836800001]))
    assert [(p.column, p.row) for p in found] == [("timestamp", 2)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ('{"time_unlt": "s"}', "time_unit"),
        ('{"time_unit": "days"}', "'days'"),
        ('{"events": {"view": "good"}}', "'good'"),
        ('{"events": {}}', "No event"),
        ('{"value": {"bands": {"explicit_positive": [5, 4]}}}', "runs from"),
        ("{\"duplicates\": \"__import__('os').system('touch canary')\"}", "one of"),
    ],
)
def test_bad_declarations(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(BadInput, match="dataset.json") as caught:
        load(tmp_path)
    assert words in str(caught.value)
    assert not Path("canary").exists()


def test_declared_duplicates_are_kept(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('{"duplicates": "keep"}')
    assert load(write(tmp_path, GOOD + "u2,a,5\n")).interactions.num_events == 6


def test_negative_events_are_read_but_not_learnt(tmp_path: Path) -> None:
    events = {"like": "explicit_positive", "skip": "implicit_negative"}
    (tmp_path / "dataset.json").write_text(json.dumps({"events": events}))
    found = load(parquet(tmp_path, event=["like", "skip", "like"]))
    assert found.interactions.num_events == 3
    learnt = found.positives()
    assert learnt.num_events == 2
    assert learnt.lengths.tolist() == [1, 1]


def test_frames_and_mixed_types() -> None:
    columns = {"user_id": ["u", "v"], "item_id": ["a", "b"], "timestamp": [1, 2]}
    assert load(pd.DataFrame(columns)).interactions.num_events == 2
    assert load(pl.DataFrame(columns)).interactions.num_events == 2
    mixed = pd.DataFrame({**columns, "item_id": pd.Series(["a", 7], dtype=object)})
    with pytest.raises(BadData, match="mixes types"):
        load(mixed)


def test_unknown_names_and_paths(tmp_path: Path) -> None:
    for name in ("movielens-smal", "../../etc/passwd-not-here", "a\0b", str(tmp_path / "none")):
        with pytest.raises(BadInput, match="no data set"):
            load(name)
    with pytest.raises(BadInput, match="holds no interactions"):
        load(tmp_path)


def test_row_order_does_not_change_the_hashes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 20, 400).astype(str), rng.permutation(400).astype(str)
    distinct = pl.DataFrame({"user_id": users, "item_id": items, "timestamp": np.arange(400)})
    tied = distinct.with_columns(timestamp=pl.lit(7), row=pl.int_range(400))
    for frame in (distinct, tied):
        first = leave_one_out(load(frame).interactions)
        mixed = leave_one_out(load(frame.sample(fraction=1, shuffle=True, seed=1)).interactions)
        assert first.sha256 == mixed.sha256
        assert first.interactions.items.tolist() == mixed.interactions.items.tolist()


def test_ties_keep_the_order_of_the_file() -> None:
    items = [f"i{n}" for n in range(50)]
    frame = pl.DataFrame({"user_id": ["u"] * 50, "item_id": items, "timestamp": [3] * 50})
    log = load(frame).interactions
    assert log.decode(log.items) == items


def test_memory_stays_under_the_budget() -> None:
    frame = pl.DataFrame(
        {"user_id": np.repeat(np.arange(1000), 20), "item_id": np.tile(np.arange(20), 1000)}
    ).with_columns(timestamp=pl.int_range(20_000), value=pl.lit(1.0))
    assert load(frame).interactions.bytes_per_event <= 24


@pytest.mark.slow
def test_two_gigabytes_are_read_in_one(tmp_path: Path) -> None:
    """reliability §4.4: peak resident memory of reading a 2 GB file stays within 1 GB."""
    path = tmp_path / "interactions.csv"
    rng, start = np.random.default_rng(0), 0
    with path.open("wb") as sink:
        while path.stat().st_size < 2e9:
            frame = pl.DataFrame(
                {
                    "user_id": rng.integers(0, 300_000, 500_000),
                    "item_id": rng.integers(0, 50_000, 500_000),
                    "timestamp": 1_500_000_000 + start + np.arange(500_000),
                }
            )
            user = pl.format("user-{}-of-the-whole-wide-world", pl.col("user_id"))
            item = pl.format("item-{}-of-the-catalogue-of-everything", pl.col("item_id"))
            frame.with_columns(user_id=user, item_id=item).write_csv(sink, include_header=not start)
            start += 500_000
            sink.flush()
    code = (
        "import sys, resource; from tastemaker.data.datasets import load; "
        "n = load(sys.argv[1]).interactions.num_events; "
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    events, peak = map(int, done.stdout.split())
    assert events == start
    assert peak <= 1_000_000, f"{peak / 1024:.0f} MB for {events:,} events"
