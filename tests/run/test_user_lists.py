"""Many users at a time: each is answered as alone, whoever stands beside them."""

from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.run import user_lists
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.user_lists import Rows, codes_of, lists_of, rows_of, tables_of
from tastemaker.run.wishes import Wishes
from tests.run.headed import headed
from tests.run.refusals import refusing_run


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@pytest.fixture(scope="module")
def disliking(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return refusing_run(tmp_path_factory.mktemp("dislikes"))


def test_many_are_answered_as_each_alone(disliking: SavedRun, saved: SavedRun) -> None:
    for run in (disliking, saved):
        users = [*run.interactions.user_ids.to_list(), "nobody", "somebody"]
        table = run.recommend_all(users, 4, offset=1, boost={"Even": 0.1})
        assert table.columns == ["user_id", "known", "rank", "item_id", "title", "score", "model"]
        same = 0
        for user, rows in table.group_by("user_id", maintain_order=True):
            alone = run.recommend(str(user[0]), 4, offset=1, boost={"Even": 0.1})
            assert rows["rank"].to_list() == [2, 3, 4, 5][: len(rows)]
            assert rows["known"].unique().to_list() == [alone.known]
            assert rows["model"].unique().to_list() == [alone.model]
            assert rows["score"].to_list() == pytest.approx(
                [i.score for i in alone.items], abs=1e-4
            )
            same += rows["item_id"].to_list() == [item.item for item in alone.items]
            assert set(rows["title"]) <= set(run.shelf.titles)
        # Sums over a batch may differ in their last bits from those over one row.
        assert same >= 0.97 * len(users)
        assert table["user_id"].unique(maintain_order=True).to_list() == users


def test_everybody_and_nobody(saved: SavedRun) -> None:
    every = saved.recommend_all(k=1)
    assert every["user_id"].to_list() == saved.interactions.user_ids.to_list()
    nobody = saved.recommend_all([], k=1)
    assert len(nobody) == 0
    assert nobody.schema == every.schema
    assert len(saved.recommend_all(["u1", "u1"], 3)) == 3
    with pytest.raises(BadInput, match="'gpt'"):
        saved.recommend_all(model="gpt")


def test_a_row_is_all_that_a_user_chose_and_empty_for_a_stranger(saved: SavedRun) -> None:
    log = saved.interactions
    codes = codes_of(log, ["u3", "nobody", "u1"])
    assert codes.tolist() == [log.user_codes["u3"], -1, log.user_codes["u1"]]
    rows = rows_of(log, codes)
    assert rows.lengths[1] == 0
    for row in (0, 2):
        assert rows.slice(row, row + 1).items.tolist() == log.history(codes[row]).tolist()
    assert len(rows_of(log, codes_of(log, []))) == 0


def test_nobody_is_listed_what_they_chose_or_refused(disliking: SavedRun) -> None:
    log = disliking.interactions
    codes = np.arange(log.num_users)
    lists = lists_of(
        disliking, Rows.of(disliking, codes), "ease", disliking.shelf.choice(Wishes(99))
    )
    chosen, refused = rows_of(log, codes), rows_of(disliking.refused, codes)
    assert refused.lengths.any()
    for user in codes.tolist():
        listed = set(lists.items[user].tolist()) - {0}
        for barred in (chosen, refused):
            assert not listed & set(barred.slice(user, user + 1).items.tolist())


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_tables_hold_some_users_each_in_the_order_given(
    saved: SavedRun, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_lists, "BATCH", batch)
    users = ["u9", "nobody", "u2", "u7", "somebody"]
    choice = saved.shelf.choice(Wishes(2))
    tables = list(tables_of(saved, users, "markov-last-5", choice))
    assert len(tables) == -(-len(users) // batch)
    assert [user for table in tables for user in table["user_id"].unique(maintain_order=True)] == (
        users
    )
    for table in tables:
        popular = table["model"] == "popularity"
        assert (popular == ~table["known"]).all()


def test_wishes_are_checked_before_the_first_table(saved: SavedRun) -> None:
    with pytest.raises(BadInput, match="'Comedy'"):
        saved.answer_all(["u1"], Wishes(boost={"Comedy": 1}))
    with pytest.raises(BadInput, match="'gpt'"):
        saved.answer_all(["u1"], Wishes(), "gpt")


def test_tables_of_a_run_with_heads_say_what_spoke(saved: SavedRun) -> None:
    run = headed(saved)
    users = ["u1", "u2", "nobody"]
    for model, wishes in (("priors", {}), ("blend", {}), ("", {"only": ["short-term"]})):
        table = run.recommend_all(users, 3, model=model, **wishes)  # type: ignore[arg-type]
        assert table.columns[-1] == "intent"
        for user in users:
            alone = run.recommend(user, 3, model=model, **wishes)  # type: ignore[arg-type]
            rows = table.filter(user_id=user)
            assert rows["intent"].to_list() == [item.intent for item in alone.items]
            assert rows["model"].unique().to_list() == [alone.model]
    assert set(run.recommend_all(users, 2, model="ease")["intent"]) == {""}
    assert run.recommend_all([], 2).schema == run.recommend_all(users, 2).schema
