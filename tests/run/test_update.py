"""A run and the news become a new run: of the same options, with the old weights where they can."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.catalog import Catalog
from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import positives, refused
from tastemaker.errors import BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.recommend.sasrec import SASRec
from tastemaker.report.page import write_report
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.update import (
    AFRESH,
    GROWN,
    News,
    begun,
    learn,
    learnt_events,
    lesson_of,
    plan_after,
)
from tastemaker.train.config import FitConfig
from tests.run.news import log_of, visits


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@pytest.fixture(scope="module")
def made(saved: SavedRun, tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """The run after the news."""
    folder = tmp_path_factory.mktemp("updated") / "run"
    known = Catalog(saved.data.catalog.align(pl.Series(["new1", "i3"])).frame)
    frame = known.frame.with_columns(title=pl.col("item_id") + " of today")
    news = News(log_of(visits()), {}, Catalog(frame))
    learn(lesson_of(saved, news), folder, {"from": "v0", "last": 7}, epochs=2)
    return open_run(folder)


def test_an_update_is_a_whole_run_of_the_same_options(saved: SavedRun, made: SavedRun) -> None:
    same = ("model", "model_config", "split", "seed", "repeats", "data", "source", "knobs")
    assert {name: made.config[name] for name in same} == {n: saved.config[n] for n in same}
    assert made.config["fit"] == saved.config["fit"] | {"epochs": 2}
    said = {"from": "v0", "last": 7, "events": 131, "users": 10, "items": 2, "start": GROWN}
    assert made.config["updated"] == made.results["updated"] == said
    assert made.results["models"].keys() == saved.results["models"].keys()
    assert "131 new events, 10 new users, 2 new items" in (made.path / "report.html").read_text()
    assert "tastemaker run --data" not in (made.path / "report.html").read_text()
    write_report(made.path)
    log, old = made.interactions, saved.interactions
    assert log.num_events == old.num_events + 131
    assert log.item_ids.to_list()[: old.num_items] == old.item_ids.to_list()
    titles = dict(zip(log.item_ids, made.catalog.titles(), strict=True))
    assert titles["new1"] == "new1 of today" and titles["i3"] == "i3 of today"
    assert titles["new2"] == "new2" and titles["i4"] == "Item <4>"
    assert {"new1", "new2"} & {item.item for item in made.recommend("nobody", 40).items}


def test_a_model_goes_on_with_its_weights_and_a_row_for_each_new_item(
    saved: SavedRun, tmp_path: Path
) -> None:
    lesson = lesson_of(saved, News(log_of(visits())))
    model, start = begun(lesson, plan_after(lesson, tmp_path / "run", 0))
    old = saved.models.neural
    assert start == GROWN and isinstance(model, SASRec) and isinstance(old, SASRec)
    assert model.num_items == old.num_items + 2 and model is not old
    assert torch.equal(model.items.weight[: old.num_items + 1], old.items.weight)
    again, _ = begun(lesson, plan_after(lesson, tmp_path / "run", 0))
    assert isinstance(again, SASRec) and torch.equal(model.items.weight, again.items.weight)


def test_who_was_erased_is_neither_read_nor_in_the_weights(saved: SavedRun, tmp_path: Path) -> None:
    told = log_of([*visits(), ("u2", "i5", 90_000)])
    lesson = lesson_of(saved, News(told, {"u1": 50_000.0, "u2": 50_000.0, "u3": 0.5}))
    log = lesson.both.log
    assert lesson.removed > 5 and "u1" not in log.user_codes and lesson.forgotten == 2
    assert log.decode(log.history(log.user_codes["u2"])) == ["i5"]
    assert lesson.counts["users"] == 11  # u2, who is a new one
    model, start = begun(lesson, plan_after(lesson, tmp_path / "run", 0))
    assert start == AFRESH and isinstance(model, SASRec)
    old = saved.models.neural
    assert isinstance(old, SASRec)
    assert not torch.equal(model.items.weight[: old.num_items + 1], old.items.weight)
    alone = lesson_of(saved, News(None, {"u1": 50_000.0}))
    assert not alone.idle and alone.counts["events"] == 0
    assert lesson_of(saved, News(None, {"u1": 0.5, "nobody": 5.0})).idle


def test_a_model_that_cannot_grow_begins_afresh(saved: SavedRun, tmp_path: Path) -> None:
    lesson = lesson_of(saved, News(log_of(visits())))
    plan = plan_after(lesson, tmp_path / "run", 0)

    class Stubborn(SASRec):
        def grown(self, num_items: int) -> "Stubborn":
            raise ValueError("it reads more of items than ids")

    class Plain:
        """Trained, and nothing that grows."""

    models = saved.models
    for model in (Stubborn(models.neural.config, 40), Plain()):  # type: ignore[arg-type]
        stuck = replace(saved, models=replace(models, neural=model))  # type: ignore[arg-type]
        fresh, start = begun(replace(lesson, saved=stuck), plan)
        assert start == AFRESH and type(fresh) is SASRec and fresh.num_items == 42


def test_what_the_run_was_trained_or_chosen_on_is_known(saved: SavedRun, made: SavedRun) -> None:
    learnt = learnt_events(saved)
    log = saved.data.interactions
    last = log.offsets[1:][log.lengths >= 3] - 1  # leave-one-out
    assert np.flatnonzero(~learnt).tolist() == last.tolist()
    lesson = lesson_of(saved, News(log_of(visits())))
    assert lesson.since.sum() == 131
    assert lesson.unlearnt.sum() == 131 + len(last)
    assert (lesson.unlearnt | ~lesson.since).all()
    assert learnt_events(made).sum() < made.interactions.num_events


def test_events_of_all_polarities_are_kept_and_those_for_an_item_learnt(saved: SavedRun) -> None:
    kinds = Declaration(events={"view": "implicit_positive", "hate": "explicit_negative"})
    saved = replace(saved, data=replace(saved.data, declared=kinds))
    for kind in ("view", "hate"):
        lesson = lesson_of(saved, News(log_of(visits(), kind)))
        log = lesson.both.log
        assert lesson.both.new.any() and lesson.since.any() == (kind == "view")
        assert len(lesson.since) == positives(log, kinds).num_events == len(lesson.unlearnt)
        user = log.user_codes["n25"]
        assert len(log.history(user)) == 5
        assert len(refused(log, kinds).history(user)) == (0 if kind == "view" else 5)


def test_where_an_item_is_chosen_once_choosing_it_again_is_not_learnt(saved: SavedRun) -> None:
    again = [("u1", "i9", 30_000.0), ("u1", "i9", 30_001.0), ("x", "i9", 30_002.0)]
    log = saved.interactions
    had = "i9" in log.decode(log.history(log.user_codes["u1"]))
    lesson = lesson_of(saved, News(log_of(again)))
    assert lesson.repeated == (2 if had else 1)
    config = saved.config | {"repeats": True}
    assert lesson_of(replace(saved, config=config), News(log_of(again))).repeated == 0


def test_a_log_that_news_cannot_be_put_into_is_refused(saved: SavedRun) -> None:
    timeless = Interactions.from_sequences({"a": ["x"]})
    data = replace(saved.data, interactions=timeless)
    for wrong in (
        replace(saved, data=data),
        replace(saved, config=saved.config | {"split": "given"}),
    ):
        with pytest.raises(BadInput):
            lesson_of(wrong, News(log_of(visits())))


@pytest.mark.slow
def test_a_model_of_another_kind_becomes_a_run_too(small_data: Path, tmp_path: Path) -> None:
    """Whether it can grow or not."""
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"), model="mtmh")
    run_recommender(options, MTMHConfig(dim=8), FitConfig(epochs=1))
    lesson = lesson_of(open_run(tmp_path / "run"), News(log_of(visits())))
    learn(lesson, tmp_path / "new", {"from": "v0"}, epochs=1)
    new = open_run(tmp_path / "new")
    assert new.results["updated"]["start"] in (GROWN, AFRESH)
    assert new.similar("new1", 3).items
