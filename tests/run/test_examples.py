"""Example users: what they chose, newest first, what came next, what was recommended."""

import numpy as np

from tastemaker.data.splits import leave_one_out
from tastemaker.metrics.evaluate import evaluate
from tastemaker.recommend.counting import Popularity
from tastemaker.run.examples import examples
from tastemaker.worlds.logs import planted_groups


def test_users_are_spread_and_shown_newest_first() -> None:
    world = planted_groups(users=50, items=30, length=10)
    log = world.interactions()
    cuts = leave_one_out(log)
    queries = cuts.queries("test")
    one = evaluate(Popularity.fit(cuts.train(), log.num_items), queries)
    catalog = world.catalog().align(log.item_ids)
    shown = examples(one, log, queries, catalog)
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
    (alone,) = examples(one, log, queries, catalog, users=1)
    assert abs(log.user_codes[alone["user"]] - len(queries) / 2) <= 1
    assert np.isfinite(one.mean("ndcg@10"))
