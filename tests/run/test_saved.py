"""Answers for one user: known or not, with a reason, never an item seen or barred."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.metrics.ranking import top_k
from tastemaker.options import RunOptions
from tastemaker.run import saved as saved_runs
from tastemaker.run.answers import Chosen
from tastemaker.run.folder import seal_run, version_of
from tastemaker.run.job import run_recommender
from tastemaker.run.publishing import held, next_run, take_place
from tastemaker.run.saved import SavedRun, open_run, open_version
from tastemaker.run.wishes import Id
from tests.conftest import write_data
from tests.run.refusals import refusing_run
from tests.run.small import MODEL, TRAINING


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """A run of whose users and items the ids are whole numbers."""
    folder = tmp_path_factory.mktemp("numbers")
    frame = pl.read_csv(write_data(folder / "data") / "interactions.csv").with_columns(
        pl.col("user_id", "item_id").str.slice(1).cast(pl.Int64)
    )
    run_recommender(RunOptions(data=frame, out=str(folder / "run")), MODEL, TRAINING)
    return open_run(folder / "run")


@pytest.fixture(scope="module")
def disliking(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return refusing_run(tmp_path_factory.mktemp("dislikes"))


def test_a_known_user_gets_new_items_in_falling_order(saved: SavedRun) -> None:
    log = saved.interactions
    for user in log.user_ids.to_list():
        answer = saved.recommend(user, 5)
        seen = set(log.decode(log.history(log.user_codes[user])))
        items = [one.item for one in answer.items]
        assert answer.known
        assert len(set(items)) == 5
        assert not seen & set(items)
        scores = [one.score for one in answer.items]
        assert scores == sorted(scores, reverse=True)
        assert all(np.isfinite(scores))


def test_titles_and_history_are_those_of_the_catalogue(saved: SavedRun) -> None:
    answer = saved.recommend("u3", 3)
    log = saved.interactions
    newest = log.decode(log.history(log.user_codes["u3"]))[-1]
    assert answer.history[0] == Chosen(newest, f"Item <{newest[1:]}>")
    for one in answer.items:
        assert one.title == f"Item <{one.item[1:]}>"
        assert ("Even" in one.categories) == (int(one.item[1:]) % 2 == 0)


@pytest.mark.parametrize("user", ["nobody", "", "u1 ", "1e999", "ü" * 5000, "a\0b"])
def test_an_unknown_user_gets_what_is_popular_and_the_reason(saved: SavedRun, user: str) -> None:
    answer = saved.recommend(user, 4)
    assert not answer.known
    assert "not in the data" in answer.reason
    counts = np.bincount(saved.interactions.items, minlength=41)[1:]
    assert len(answer.items) == 4
    top = {saved.interactions.item_code(one.item) for one in answer.items}
    assert min(counts[list(np.array(list(top)) - 1)]) >= np.sort(counts)[-12]


def test_unknown_users_can_name_groups(saved: SavedRun) -> None:
    answer = saved.recommend("nobody", 6, boost={"odd": 2.0})
    assert all("Odd" in one.categories for one in answer.items)
    assert "Odd" in answer.reason


def test_boosts_move_a_known_user_too(saved: SavedRun) -> None:
    assert all(
        "Even" in one.categories for one in saved.recommend("u1", 5, boost={"Even": 2}).items
    )
    against = saved.recommend("u1", 5, boost={"Even": -2})
    assert all("Odd" in one.categories for one in against.items)


def test_allow_and_deny(saved: SavedRun) -> None:
    free = [one.item for one in saved.recommend("u1", 10).items]
    some = saved.recommend("u1", 10, allow=free[3:6])
    assert [one.item for one in some.items] == free[3:6]
    assert not some.complete
    denied = saved.recommend("u1", 10, deny=free[:2])
    assert [one.item for one in denied.items][:8] == free[2:]


def test_pages_follow_each_other(saved: SavedRun) -> None:
    whole = saved.recommend("u1", 9).items
    pages = [saved.recommend("u1", 3, offset=offset).items for offset in (0, 3, 6)]
    assert (*pages[0], *pages[1], *pages[2]) == whole
    assert not saved.recommend("u1", 3, offset=10**30).items


@pytest.mark.parametrize("model", ["sasrec", "ease", "markov-last-5", "popularity", "blend"])
def test_a_list_is_the_ranking_of_its_model(saved: SavedRun, model: str) -> None:
    for user in saved.interactions.user_ids.to_list()[:20]:
        context = saved.context(user)
        scores = saved.model(model).score(context).float().clone()
        scores[:, ~torch.from_numpy(saved.models.candidates.copy())] = -torch.inf
        scores[0, torch.from_numpy(context.items.astype(np.int64)) - 1] = -torch.inf
        codes = top_k(scores, 12)[0].numpy()
        found = saved.recommend(user, 12, model=model)
        assert [one.item for one in found.items] == saved.interactions.decode(codes)
        shown = [one.score for one in found.items]
        assert shown[0] == 1.0
        assert shown == sorted(shown, reverse=True)
        assert found.model == model
        # A boost of nothing changes nothing, wherever scores are shown as equal.
        still = saved.recommend(user, 12, model=model, boost={"Even": 0.0})
        assert still.items == found.items


@pytest.mark.parametrize("user", [7, np.int64(7), np.uint8(7), "7"])
def test_a_number_is_the_user_whose_id_it_spells(numbered: SavedRun, user: Id) -> None:
    answer = numbered.recommend(user, 3, deny=[int(numbered.interactions.item_ids[0])])
    assert answer.known
    assert answer.user == "7"
    assert (
        answer.items == numbered.recommend("7", 3, deny=[numbered.interactions.item_ids[0]]).items
    )
    assert len(numbered.context(user).items)


@pytest.mark.parametrize("user", [None, True, 7.0, b"7", ["7"]])
def test_what_is_no_user(saved: SavedRun, user: Any) -> None:
    for ask in (saved.recommend, saved.context, saved.barred):
        with pytest.raises(BadInput, match="is no id"):
            ask(user)
    with pytest.raises(BadInput, match="is no id"):
        saved.recommend_all(["u1", user])


def test_refused_items_never_come_back(disliking: SavedRun) -> None:
    """Whatever the model and the wishes; skipped ones may, and so may what was liked later."""
    log = disliking.data.interactions
    assert set(log.event_names) == {"like", "dislike", "skip"}
    refusals = 0
    for user in log.user_ids.to_list():
        events = np.array(log.event_names)[
            log.events[log.offsets[log.user_codes[user]] : log.offsets[log.user_codes[user] + 1]]  # type: ignore[index]
        ]
        items = np.array(log.decode(log.history(log.user_codes[user])))
        refused = set(items[events == "dislike"])
        skipped = set(items[events == "skip"])
        assert set(log.decode(disliking.barred(user))) == refused
        assert set(disliking.interactions.decode(disliking.context(user).items)) == set(
            items[events == "like"]
        )
        for model in ("popularity", "ease", disliking.model_name()):
            found = {one.item for one in disliking.recommend(user, 99, model=model).items}
            assert not refused & found
            assert skipped & set(disliking.interactions.item_ids) <= found | {
                i for i in skipped if not disliking.models.candidates[
                    disliking.interactions.item_code(i) - 1]
            }  # fmt: skip
        assert not disliking.recommend(user, 5, allow=sorted(refused)).items
        refusals += len(refused)
    assert refusals > 20


def test_a_user_who_only_refused_gets_what_is_popular(disliking: SavedRun) -> None:
    answer = disliking.recommend("never", 5)
    assert answer.known
    assert answer.model == "popularity"
    assert "most popular" in answer.reason
    assert answer.history == ()
    assert "i1" not in {one.item for one in disliking.recommend("never", 99).items}


def test_items_that_cannot_be_recommended_are_counted(disliking: SavedRun) -> None:
    answer = disliking.recommend("u1", 5, allow=["i0", "i1", "i2", "unseen", "unseen"])
    assert "1 of 4 allowed items has no training events" in answer.reason
    assert disliking.recommend("u1", 5, deny=["unseen"]).complete
    with pytest.raises(BadInput, match="'nothing', 'nowhere'"):
        disliking.recommend("u1", 5, deny=["i1", "nothing", "unseen", "nowhere"])


def test_more_than_there_is_gives_everything_flagged(saved: SavedRun) -> None:
    answer = saved.recommend("u1", 10**9)
    log = saved.interactions
    seen = len(set(log.history(log.user_codes["u1"]).tolist()))
    assert len(answer.items) == int(saved.models.candidates.sum()) - seen
    assert not answer.complete


@pytest.mark.parametrize("k", [0, -1])
def test_k_must_be_positive(saved: SavedRun, k: int) -> None:
    with pytest.raises(BadInput, match=f"k = {k}"):
        saved.recommend("u1", k)


def test_unknown_items_groups_and_models_are_named(saved: SavedRun) -> None:
    with pytest.raises(BadInput, match="'i999'"):
        saved.recommend("u1", 3, allow=["i999"])
    with pytest.raises(BadInput, match="'Comedy'"):
        saved.recommend("u1", 3, boost={"Comedy": 1})
    with pytest.raises(BadInput, match="'gpt'"):
        saved.recommend("u1", 3, model="gpt")


@pytest.mark.parametrize("name", ["sasrec", "ease", "markov-last-5", "item-knn", "blend"])
def test_every_model_of_the_run_can_answer(saved: SavedRun, name: str) -> None:
    answer = saved.recommend("u1", 3, model=name)
    assert len(answer.items) == 3
    assert name in answer.reason


def test_the_context_of_a_user_is_the_whole_history(saved: SavedRun) -> None:
    log = saved.interactions
    context = saved.context("u5")
    assert context.items.tolist() == log.history(log.user_codes["u5"]).tolist()
    assert len(saved.context("nobody").items) == 0


def test_a_run_can_be_moved(finished_run: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(finished_run, tmp_path / "elsewhere"))
    here, there = open_run(finished_run), open_run(moved)
    assert here.recommend("u1", 5) == there.recommend("u1", 5)


@pytest.mark.parametrize("moment", ["read_config", "verify_run"])
def test_a_run_that_is_replaced_while_it_is_opened_is_opened_again(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Whatever is read in the midst of it, the run is one of both, and the version is its own."""
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    new = Path(shutil.copytree(finished_run, next_run(run)))
    results = json.loads((new / "results.json").read_text())
    (new / "results.json").write_text(json.dumps(results | {"why": "newer"}))
    seal_run(new, {"best": "new"})
    plain, times = getattr(saved_runs, moment), []

    def late(folder: Path) -> object:
        times.append(folder)
        told = plain(folder)
        if len(times) == 1:
            with held(run):
                take_place(run, new)
        return told

    monkeypatch.setattr(saved_runs, moment, late)
    opened, version = open_version(run)
    assert (version, opened.results["why"]) == (version_of(new), "newer") and len(times) == 2


def test_no_run_here(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no such folder"):
        open_run(tmp_path / "none")
