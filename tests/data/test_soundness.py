"""A saved log that does not fit itself is refused on opening, with the file and what is wrong."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tastemaker.data.arrow import open_arrow, write_arrow
from tastemaker.data.interactions import Interactions
from tastemaker.errors import ArtefactError

LOG = Interactions.from_frame(
    pl.DataFrame(
        {
            "user_id": ["a", "a", "b", "b", "c"],
            "item_id": ["x", "y", "x", "z", "z"],
            "timestamp": [5, 7, 1, 2, 3],
            "event": ["view", "buy", "view", "view", "buy"],
            "value": [1.0, 2.0, None, 4.0, 5.0],
        }
    )
)


def column(
    name: str, values: object, kind: pa.DataType | None = None
) -> Callable[[pa.Table], pa.Table]:
    """The table with another column of that name; None: without it."""

    def changed(table: pa.Table) -> pa.Table:
        rest = table.drop_columns([name]) if name in table.column_names else table
        return rest if values is None else rest.append_column(name, pa.array(values, kind))

    return changed


@pytest.mark.parametrize(
    "log",
    [
        LOG,
        Interactions.from_sequences({"u": ["a"], "v": ["a", "b"]}),
        LOG.select(np.zeros(5, bool)),
        LOG.select(np.array([True, False, False, False, True])),
        replace(LOG, times=None, events=None, values=None, event_names=("view",)),
    ],
)
def test_sound_logs_are_opened(log: Interactions, tmp_path: Path) -> None:
    log.save(tmp_path)
    assert Interactions.open(tmp_path).sha256 == log.sha256


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("histories.arrow", column("end", [2, 1, 5])),
        ("histories.arrow", column("end", [-1, 4, 5])),
        ("histories.arrow", column("end", [2, 4, 6])),
        ("histories.arrow", column("end", [2, 4, 4])),
        ("histories.arrow", column("end", [2, 2**62, 5])),
        ("histories.arrow", column("end", [2.0, 4.0, 5.0])),
        ("histories.arrow", column("end", [2, 4, 5], pa.int32())),
        ("histories.arrow", column("end", [2, None, 5])),
        ("histories.arrow", column("end", None)),
        ("histories.arrow", column("user_id", None)),
        ("histories.arrow", column("user_id", [1, 2, 3])),
        ("histories.arrow", column("user_id", ["a", "a", "b"])),
        ("histories.arrow", column("user_id", ["a", None, "b"])),
        ("events.arrow", column("item", [1, 2, 1, 3, 0], pa.int32())),
        ("events.arrow", column("item", [1, 2, 1, 4, 3], pa.int32())),
        ("events.arrow", column("item", [1, 2, 1, -3, 3], pa.int32())),
        ("events.arrow", column("item", [1, 2, 1, 3, 3])),
        ("events.arrow", column("item", [1, None, 1, 3, 3], pa.int32())),
        ("events.arrow", column("item", ["x"] * 5)),
        ("events.arrow", column("item", None)),
        ("events.arrow", column("event", [0, 1, 0, 0, 2], pa.uint8())),
        ("events.arrow", column("event", [0, 1, 0, 0, 1], pa.int8())),
        ("events.arrow", column("time", [5, 7, 2, 1, 3])),
        ("events.arrow", column("time", [5.0, 7.0, 1.0, 2.0, 3.0])),
        ("events.arrow", column("value", [1.0] * 5)),
        ("events.arrow", column("more", [1] * 5)),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused(
    file: str, change: Callable[[pa.Table], pa.Table], tmp_path: Path
) -> None:
    LOG.save(tmp_path)
    table = open_arrow(tmp_path / file)
    changed = change(table)
    kinds = {field.name: field.type for field in changed.schema}
    copied = pa.table(
        {name: pa.array(changed.column(name).to_pylist(), kind) for name, kind in kinds.items()}
    )
    (tmp_path / file).unlink()
    write_arrow(tmp_path / file, copied.replace_schema_metadata(table.schema.metadata))
    with pytest.raises(ArtefactError) as caught:
        Interactions.open(tmp_path)
    assert caught.value.file == str(tmp_path / file)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"item_id": ["x", "y", "x"]}),
        pl.DataFrame({"item_id": ["x", None, "z"]}),
        pl.DataFrame({"item_id": [1, 2, 3]}),
        pl.DataFrame({"item_id": ["x", "y"]}),
        pl.DataFrame({"item": ["x", "y", "z"]}),
    ],
)
def test_a_vocabulary_names_every_item_once(frame: pl.DataFrame, tmp_path: Path) -> None:
    LOG.save(tmp_path)
    frame.write_parquet(tmp_path / "vocab.parquet")
    with pytest.raises(ArtefactError):
        Interactions.open(tmp_path)


def test_a_vocabulary_that_is_no_table(tmp_path: Path) -> None:
    LOG.save(tmp_path)
    for raw in (b"", b"PAR1", b"x" * 100):
        (tmp_path / "vocab.parquet").write_bytes(raw)
        with pytest.raises(ArtefactError, match="cannot be read"):
            Interactions.open(tmp_path)
    (tmp_path / "vocab.parquet").unlink()
    with pytest.raises(ArtefactError, match="cannot be read"):
        Interactions.open(tmp_path)


def test_ten_million_events_are_opened_at_once(tmp_path: Path) -> None:
    users, events, items = 200_000, 10_000_000, 100_000
    rng = np.random.default_rng(0)
    each = events // users
    log = Interactions(
        user_ids=pl.Series("user_id", np.arange(users)).cast(pl.String),
        item_ids=pl.Series("item_id", np.arange(items)).cast(pl.String),
        offsets=np.arange(0, events + 1, each),
        items=rng.integers(1, items + 1, events, np.int32),
        times=np.tile(np.arange(each), users),
    )
    log.save(tmp_path)
    began = time.process_time()
    assert Interactions.open(tmp_path).num_events == events
    assert time.process_time() - began < 1
