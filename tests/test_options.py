"""What the commands can be asked, and what is refused before anything is read."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from tastemaker.data.datasets import load
from tastemaker.errors import BadInput
from tastemaker.options import RunOptions, TuneOptions


def test_defaults_need_nothing() -> None:
    options = RunOptions()
    assert (options.data, options.model, options.split) == (
        "movielens-small", "sasrec", "leave-one-out",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "name"),
    [("ml-1m", "ml-1m"), (Path("my/log"), "my/log"), (pl.DataFrame({"user_id": [1]}), "frame")],
)
def test_data_have_a_name_whatever_they_are(data: Any, name: str) -> None:
    assert RunOptions(data=data).data_name == name
    assert TuneOptions("hstu", data=data).run().data_name == name


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1}, {"seed": 2**32}, {"seed": True}, {"out": "."}, {"out": ".."}, {"out": "/"},
        {"out": "a/.."}, {"out": "a\0b"}, {"split": "last-"}, {"split": "last-0"},
        {"split": "last-²"}, {"split": "last-1.5"}, {"split": "last--1"},
    ],
)  # fmt: skip
def test_what_no_run_can_be_made_of(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        RunOptions(**wrong)
    with pytest.raises(BadInput):
        TuneOptions("sasrec", **wrong)


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"trials": 10**30}, {"epochs": 0}])
def test_what_no_search_can_be_made_of(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        TuneOptions("sasrec", **wrong)


def test_what_can_be_run() -> None:
    for split in ("last-1", "last-10", "global-time", "leave-one-out"):
        assert RunOptions(split=split, out="./runs/x", seed=2**32 - 1).split == split


@pytest.mark.parametrize("data", [None, 7, 1.5, True, [], {}, (), b"x", object(), {"user_id": []}])
def test_what_is_no_data_is_refused_with_what_may_be_given(data: object) -> None:
    for call in (
        lambda: RunOptions(data=data),  # type: ignore[arg-type]
        lambda: TuneOptions("sasrec", data=data),  # type: ignore[arg-type]
        lambda: load(data),
    ):
        with pytest.raises(BadInput, match=type(data).__name__) as caught:
            call()
        assert "table of Polars" in caught.value.fix


def test_tables_of_every_kind_are_data() -> None:
    columns = {"user_id": ["u"], "item_id": ["a"], "timestamp": [1]}
    for frame in (pl.DataFrame(columns), pl.LazyFrame(columns), pa.table(columns)):
        assert RunOptions(data=frame).data_name == "frame"
        assert load(frame).interactions.num_events == 1
