"""Profiles of a run's users: from the whole log, by whatever groups items have, known or not."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.errors import BadInput
from tastemaker.models.generate import Scripted
from tastemaker.run import profile as module
from tastemaker.run.folder import verify_run
from tastemaker.run.profile import REPLIES, Profiler
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.worlds.planted_interests import PlantedUsers, plant_users
from tastemaker.worlds.topics import TOPICS


@pytest.fixture(scope="module")
def world() -> PlantedUsers:
    return plant_users()


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_interests_are_those_of_the_categories(world: PlantedUsers) -> None:
    profiler, names = Profiler.of(world.dataset()), list(TOPICS)
    for user, topics in world.oracle.items():
        found = profiler.of_user(user)
        verified = {one.name for one in found.interests if one.verdict == "verified"}
        assert verified == {names[topic - 1] for topic in topics}
        assert (found.known, found.notes) == (True, ())


def test_without_categories_items_are_grouped_by_their_words(world: PlantedUsers) -> None:
    data = world.dataset()
    frame = data.catalog.frame.with_columns(categories=pl.lit(None, pl.List(pl.String)))
    found = Profiler.of(replace(data, catalog=Catalog(frame))).of_user("u0")
    assert any(one.verdict == "verified" for one in found.interests)
    assert found.notes[0] == module.WORDS


def test_without_words_nothing_is_named_and_that_is_said(world: PlantedUsers) -> None:
    found = Profiler.of(replace(world.dataset(), catalog=Catalog.empty())).of_user("u0")
    assert (found.known, found.interests, found.dislikes) == (True, (), ())
    assert found.items == 80
    assert found.notes[0] == module.NOTHING


@pytest.mark.parametrize("user", ["nobody", "", "u1 ", "ü" * 5000, "a\0b"])
def test_an_unknown_user_has_no_interests_and_the_reason(saved: SavedRun, user: str) -> None:
    found = saved.profile(user)
    assert (found.known, found.interests, found.user) == (False, (), user)
    assert found.notes == (module.UNKNOWN,)
    json.dumps(found.to_json(), allow_nan=False)


def test_evidence_is_of_the_users_own_items(saved: SavedRun) -> None:
    """One kind of event: still useful, and it says that nothing tells likes from dislikes."""
    log = saved.data.interactions
    for user in log.user_ids.to_list()[:20]:
        found = saved.profile(user)
        own = log.decode(log.history(log.user_codes[user]))
        for one in found.interests:
            assert {proof.item for proof in one.items} <= set(own)
            assert one.counts == {"implicit_positive": one.counts["implicit_positive"]}
        assert {"Even", "Odd", "All"} >= {one.name for one in found.interests}
        assert "says the same" in found.notes[0]
        assert found.items == len(set(own))


def test_as_many_interests_as_are_asked_for(saved: SavedRun) -> None:
    assert len(saved.profile("u1", 1).interests) == 1
    assert saved.profile("u1", 1).interests == saved.profile("u1").interests[:1]
    with pytest.raises(BadInput):
        saved.profile("u1", 0)
    with pytest.raises(BadInput):
        saved.profile(1.5)  # type: ignore[arg-type]


def test_words_are_asked_once_and_kept_beside_the_run(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "mine"
    shutil.copytree(finished_run, run)
    saved, model = open_run(run), Scripted(lambda conversation, repeat: "Likes what is even.")
    monkeypatch.setattr(module, "opened", lambda name, url: model)
    counted, first = saved.profile("u1"), saved.profile("u1", llm="a-model", url="http://there")
    assert first.summary == first.interests[0].sentence == "Likes what is even."
    assert first.model == "a-model"
    asked = len(model.asked)
    assert asked == len(counted.interests) + 1
    assert open_run(run).profile("u1", llm="a-model") == first
    assert len(model.asked) == asked
    assert (tmp_path / f"mine{REPLIES}").is_file()
    verify_run(run)
    assert [one.verdict for one in first.interests] == [one.verdict for one in counted.interests]


def test_words_need_no_place_to_be_kept(
    saved: SavedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "opened", lambda name, url: Scripted(lambda *_: "Likes it."))
    (tmp_path / f"mine{REPLIES}").mkdir()
    found = module.worded(saved.profile("u1"), tmp_path / "mine", "a-model")
    assert found.summary == "Likes it."


def test_a_model_that_is_not_here_is_refused(saved: SavedRun) -> None:
    with pytest.raises(BadInput, match="no-such-model"):
        saved.profile("u1", llm="no-such-model")
