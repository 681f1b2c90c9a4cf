"""Example users: what they chose, newest first, what came next, what was recommended."""

import json
from pathlib import Path

import numpy as np
import polars as pl

from tastemaker.data.datasets import Dataset
from tastemaker.data.declaration import Declaration
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.splits import leave_one_out
from tastemaker.metrics.evaluate import evaluate
from tastemaker.options import RunOptions
from tastemaker.recommend.counting import Popularity
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.examples import Known, examples
from tastemaker.run.job import run_recommender
from tastemaker.run.profile import Profiler
from tastemaker.run.saved import open_run
from tastemaker.train.config import FitConfig
from tastemaker.worlds.logs import planted_groups
from tests.run.headed import EVENTS, priors


def test_users_are_spread_and_shown_newest_first() -> None:
    world = planted_groups(users=50, items=30, length=10)
    log = world.interactions()
    cuts = leave_one_out(log)
    queries = cuts.queries("test")
    one = evaluate(Popularity.fit(cuts.train(), log.num_items), queries)
    catalog = world.catalog().align(log.item_ids)
    nothing = log.select(np.zeros(log.num_events, bool))
    known = Known(log, catalog, nothing)
    shown = examples(one, queries, known)
    users = [log.user_codes[example["user"]] for example in shown]
    assert users == sorted(set(users))
    assert len(users) == 3
    titles = catalog.titles()
    for user, example in zip(users, shown, strict=True):
        items = log.items[log.offsets[user] : log.offsets[user + 1]]
        assert example["held_out"] == [titles[items[-1] - 1]]
        assert example["history"] == [titles[code - 1] for code in items[:-1][::-1]]
        assert len(example["recommendations"]) == 10
        hits = [item["title"] in example["held_out"] for item in example["recommendations"]]
        assert hits == [item["hit"] for item in example["recommendations"]]
    (alone,) = examples(one, queries, known, users=1)
    assert abs(log.user_codes[alone["user"]] - len(queries) / 2) <= 1
    assert np.isfinite(one.mean("ndcg@10"))


def test_interests_do_not_know_what_came_next() -> None:
    world = planted_groups(users=50, items=30, length=10)
    log, declared = world.interactions(), Declaration()
    cuts = leave_one_out(log)
    queries = cuts.queries("test")
    measured = evaluate(Popularity.fit(cuts.train(), log.num_items), queries)
    nothing = log.select(np.zeros(log.num_events, bool))
    data = Dataset("planted", log, world.catalog(), declared, "", pl.DataFrame())
    known = Known(log, world.catalog().align(log.item_ids), nothing, Profiler.of(data))
    shown = examples(measured, queries, known)
    assert len(shown) == 3
    for example in shown:
        history = log.decode(log.history(log.user_codes[example["user"]]))
        profile = example["profile"]
        assert profile["user"] == example["user"]
        assert profile["items"] == len(set(history) - {history[-1]})
        proofs = [proof for one in profile["interests"] for proof in one["items"]]
        assert history[-1] not in {proof["item"] for proof in proofs}
        assert {proof["item"] for proof in proofs} <= set(history)


def refusing(folder: Path) -> Path:
    """A data folder of users who, all of them, refused the same ten items out of thirty."""
    log = planted_groups(users=30, items=30, length=8).interactions()
    names = ["user_id", "item_id", "timestamp", "event"]
    rows = [
        (user, item, 100 + time, "like")
        for user, code in log.user_codes.items()
        for time, item in enumerate(dict.fromkeys(log.decode(log.history(code))))
    ]
    said = {(user, item) for user, item, *_ in rows}
    rows += [
        (user, item, 1, "dislike")
        for user in log.user_ids
        for item in log.item_ids[:10]
        if (user, item) not in said
    ]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(folder / "interactions.csv")
    events = {"like": "explicit_positive", "dislike": "explicit_negative"}
    (folder / "dataset.json").write_text(json.dumps({"events": events}))
    return folder


def test_what_a_user_refused_is_shown_neither_here_nor_by_the_run(tmp_path: Path) -> None:
    options = RunOptions(str(refusing(tmp_path)), out=str(tmp_path / "run"))
    model = SASRecConfig(dim=8, layers=1, heads=1, history=8)
    found = run_recommender(options, model, FitConfig(epochs=1))
    saved = open_run(tmp_path / "run")
    assert len(found["examples"]) == 3
    for example in found["examples"]:
        user = example["user"]
        refused = set(saved.interactions.decode(saved.barred(user)))
        assert refused
        shown = [item["item"] for item in example["recommendations"]]
        assert shown
        assert not refused & set(shown)
        offered = [item.item for item in saved.recommend(user, 30).items]
        assert not refused & set(offered)
        held_out = {item["item"] for item in example["recommendations"] if item["hit"]}
        assert set(shown) - held_out <= set(offered)


def test_the_head_that_spoke_is_named_beside_each_item() -> None:
    world = planted_groups(users=50, items=30, length=10)
    log = world.interactions()
    cuts = leave_one_out(log)
    queries, ground = cuts.queries("test"), Ground.of(log.item_ids, world.catalog(), cuts.train())
    model = priors(ground, {CATEGORY: ground.groupings[CATEGORY], "event": EVENTS})
    measured = evaluate(model, queries)
    known = Known(log, ground.catalog, log.select(np.zeros(log.num_events, bool)))
    for example in examples(measured, queries, known, heads=model):
        row = int(np.flatnonzero(queries.contexts.users == log.user_codes[example["user"]])[0])
        speakers = model.spoken(queries.contexts.slice(row, row + 1))[1][0]
        for item in example["recommendations"]:
            head = int(speakers[log.item_code(item["item"]) - 1])
            assert item["intent"] == model.head_names[head]
