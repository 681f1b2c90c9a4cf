"""Items that go with an item: by either head or between, filtered, with the part of each."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.errors import ArtefactError, BadInput, NumericFault
from tastemaker.options import RunOptions
from tastemaker.recommend.counted_heads import COUNTED
from tastemaker.recommend.merge import DIAL
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.recommend.neighbour_table import NeighbourTable
from tastemaker.run import similar
from tastemaker.run.answers import Answer, Chosen
from tastemaker.run.folder import (
    FILES,
    INDEX,
    NEIGHBOURS,
    OPTIONAL,
    clear_results,
    seal_run,
    train_on,
)
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.similar import keep_neighbours
from tastemaker.run.spread import unit
from tastemaker.run.wishes import Wishes
from tastemaker.train.config import FitConfig
from tests.conftest import write_data
from tests.run.two_heads import Stand, best, heads_of, two_headed, with_heads


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return two_headed(tmp_path_factory.mktemp("beside"))


def ids(answer: Answer) -> list[str]:
    return [item.item for item in answer.items]


@pytest.mark.parametrize("relevance", [0.0, 0.3, 0.9, 1.0])
def test_the_best_items_at_every_dial(saved: SavedRun, relevance: float) -> None:
    answer = saved.similar("i7", relevance=relevance)
    assert ids(answer) == best(saved, "i7", relevance)[:10]
    assert (answer.item, answer.user, answer.history) == (Chosen("i7", "Item <7>"), "", ())
    assert (answer.known, answer.complete, answer.model) == (True, True, "mtmh")
    assert answer.relevance == relevance
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    for item in answer.items:
        assert item.score == pytest.approx(sum(item.parts.values()), abs=2e-6)
    if relevance in (0, 1):
        idle = "relevance" if relevance == 0 else "engagement"
        assert {item.parts[idle] for item in answer.items} == {0}


def test_without_a_relevance_that_of_the_model_counts(saved: SavedRun) -> None:
    assert saved.similar("i7") == saved.similar("i7", relevance=0.3)


def test_the_answer_is_json_and_of_the_type_of_recommend(saved: SavedRun) -> None:
    values = json.loads(json.dumps(saved.similar("i7", 2).to_json(), allow_nan=False))
    assert values.keys() == saved.recommend("u1", 2, model="ease").to_json().keys()
    assert values["item"] == {"item": "i7", "title": "Item <7>"}
    assert values["items"][0]["parts"].keys() == {"engagement", "relevance"}
    assert saved.recommend("u1", 2, model="ease").item is None


def test_one_head_answers_where_the_other_knows_nothing(saved: SavedRun) -> None:
    cold, unwritten = saved.similar("i1", relevance=0.2), saved.similar("i2", relevance=0.8)
    assert cold.relevance == 1
    assert unwritten.relevance == 0
    assert ids(unwritten) == best(saved, "i2", 0.0)[:10]
    assert "no events" in cold.reason
    assert "content" in unwritten.reason
    for asked in (1.0, 0.0):
        plain = saved.similar("i1" if asked else "i2", relevance=asked)
        assert "counts" in plain.reason


def test_an_item_that_nothing_is_known_of_gets_what_is_popular(saved: SavedRun) -> None:
    answer = saved.similar("nothing", 5, deny=["i3"])
    want = [item for item in ids(saved.recommend("no such user", 7)) if item != "i3"][:5]
    assert ids(answer) == want
    assert (answer.known, answer.model, answer.user) == (False, "popularity", "")
    assert answer.item == Chosen("nothing", "Silence")
    assert answer.relevance is None
    assert "popular" in answer.reason
    wished = saved.similar("nothing", 5, only=["odd"], boost={"odd": 1})
    assert wished.reason.count("Only from") == wished.reason.count("Favoured") == 1


def test_items_without_events_are_found_and_can_be_asked_from(saved: SavedRun) -> None:
    answer = saved.similar("i5", 3, relevance=1.0)
    assert answer.items[0].item == "new"
    assert answer.items[0].title == "Fresh (2020)"
    assert answer.items[0].categories == ("Odd",)
    assert "new" not in ids(saved.similar("i5", 100, relevance=0.0))
    assert ids(saved.similar("fresh", 1)) == ["i5"]
    for item in ("i5", "new"):
        everything = ids(saved.similar(item, 10**9))
        assert "nothing" not in everything
        assert item not in everything
        assert len(everything) == len(set(everything)) == (41 if item == "i5" else 40)


def test_filters_are_those_of_exact_search(saved: SavedRun) -> None:
    every = best(saved, "i7", 0.3)
    odd = [item for item in every if item in ("new", "newer") or int(item[1:]) % 2]
    assert ids(saved.similar("i7", 8, only=["odd"])) == odd[:8]
    assert ids(saved.similar("i7", 5, deny=every[:3])) == every[3:8]
    assert ids(saved.similar("i7", 5, allow=["newer", "i9", "i7"])) == [
        item for item in every if item in ("newer", "i9")
    ]
    assert not saved.similar("i7", 5, allow=["newer", "i9", "i7"]).complete
    assert ids(saved.similar("i7", 4, offset=3)) == every[3:7]
    assert ids(saved.similar("i7", 4, offset=10**30)) == []
    assert ids(saved.similar("i7", 5, allow=[])) == []
    remarks = saved.similar("i7", 5, allow=["i9", "nothing"]).reason
    assert "1 of 2 allowed items" in remarks


def test_a_favoured_group_comes_first_and_its_weight_is_in_the_score(saved: SavedRun) -> None:
    plain = {item.item: item for item in saved.similar("i7", 100).items}
    answer = saved.similar("i7", 100, boost={"Odd": 3})
    odd = [("Odd" in item.categories) for item in answer.items]
    assert odd == sorted(odd, reverse=True)
    for item in answer.items:
        added = 3 if "Odd" in item.categories else 0
        assert item.score == pytest.approx(plain[item.item].score + added, abs=1e-5)


@pytest.mark.parametrize("relevance", [-0.1, 1.1, float("nan"), True, "0.5"])
def test_a_relevance_outside_0_to_1_is_refused(saved: SavedRun, relevance: float) -> None:
    with pytest.raises(BadInput, match="relevance"):
        saved.similar("i7", relevance=relevance)


def test_what_cannot_be_meant_is_refused(saved: SavedRun) -> None:
    for item in ("Item <77>", "", "no such thing at all"):
        with pytest.raises(BadInput):
            saved.similar(item)
    with pytest.raises(BadInput, match="2 items"):
        saved.similar("item <3>")
    with pytest.raises(BadInput, match="does not know"):
        saved.similar("i7", deny=["no-item"])
    with pytest.raises(BadInput, match="k = 0"):
        saved.similar("i7", 0)


def test_a_relevance_would_be_idle_for_a_user(saved: SavedRun) -> None:
    with pytest.raises(BadInput, match="relevance"):
        saved.recommend("u1", relevance=0.5)  # type: ignore[call-arg]
    with pytest.raises(BadInput, match="relevance"):
        saved.recommend_all(relevance=0.5)  # type: ignore[call-arg]


def test_for_a_model_without_heads_it_is_counted(finished_run: Path) -> None:
    opened = open_run(finished_run)
    answer = opened.similar("i7", 5)
    assert (answer.known, answer.model, answer.relevance) == (True, COUNTED, DIAL)
    assert len({one.item for one in answer.items} - {"i7"}) == 5
    for dial in (0.0, 1.0):
        parts = [dict(one.parts) for one in opened.similar("i7", 5, relevance=dial).items]
        silent = "relevance" if dial == 0 else "engagement"
        assert all(one[silent] == 0 for one in parts)


def test_the_table_is_kept_with_the_run_and_read_from_it(saved: SavedRun, tmp_path: Path) -> None:
    assert NEIGHBOURS in OPTIONAL
    run = Path(shutil.copytree(saved.path, tmp_path / "run"))
    keep_neighbours(saved.models.neural, run)
    table = NeighbourTable.open(run / NEIGHBOURS, 43)
    assert table.dial == 0.3
    kept = replace(saved, path=run)
    assert kept.similar("i7", 20) == saved.similar("i7", 20)
    (run / NEIGHBOURS).write_bytes(b"half of it")
    with pytest.raises(ArtefactError):
        replace(saved, path=run).similar("i7")


def test_many_items_are_searched_without_a_table(
    saved: SavedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(saved.path, tmp_path / "run"))
    monkeypatch.setattr("tastemaker.run.similar.LARGEST", 42)
    keep_neighbours(saved.models.neural, run)
    assert not (run / NEIGHBOURS).exists()
    assert ids(replace(saved, path=run).similar("i7")) == best(saved, "i7", 0.3)[:10]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    """A run that was trained to go from item to item, with two items that its log never saw."""
    folder = tmp_path_factory.mktemp("mtmh")
    data = write_data(folder / "data")
    items = pl.read_parquet(data / "items.parquet")
    unseen = {
        "item_id": ["new", "bare"],
        "title": ["Item <3>", None],
        "categories": [["Odd"], None],
    }
    pl.concat([items, pl.DataFrame(unseen)]).write_parquet(data / "items.parquet")
    options = RunOptions(data=str(data), out=str(folder / "run"))
    run_recommender(options, MTMHConfig(dim=8, width=16), FitConfig(epochs=3, warmup=5))
    return open_run(folder / "run")


def test_a_trained_run_keeps_its_table_and_answers_from_it(trained: SavedRun) -> None:
    assert (trained.path / NEIGHBOURS).is_file()
    answer = trained.similar("i7", 5)
    assert answer.relevance == MTMHConfig().relevance
    assert len(answer.items) == 5
    for dial in (0.0, 0.2, 0.6, 1.0):
        listed = trained.similar("i7", 100, relevance=dial)
        searched = trained.beside.search.nearest(
            trained.interactions.item_codes["i7"] - 1, 100, dial
        )
        every = trained.beside.shelf.log.item_ids.to_list()
        assert ids(listed) == [every[row] for row in searched.items]


def test_a_trained_run_goes_from_and_to_items_that_its_log_never_saw(trained: SavedRun) -> None:
    assert trained.similar("new", 3).relevance == 1
    assert "new" in ids(trained.similar("i3", 100, relevance=1.0))
    assert "new" not in ids(trained.similar("i3", 100, relevance=0.0))
    nothing = trained.similar("bare", 3)
    assert (nothing.known, nothing.model, len(nothing.items)) == (False, "popularity", 3)


def test_a_changed_byte_of_the_table_is_noticed(trained: SavedRun, tmp_path: Path) -> None:
    run = Path(shutil.copytree(trained.path, tmp_path / "run"))
    raw = bytearray((run / NEIGHBOURS).read_bytes())
    raw[len(raw) // 2] ^= 4
    (run / NEIGHBOURS).write_bytes(raw)
    with pytest.raises(ArtefactError):
        open_run(run)
    (run / NEIGHBOURS).unlink()
    with pytest.raises(ArtefactError):
        open_run(run)


def test_a_run_of_many_items_keeps_an_index_of_them(
    trained: SavedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(trained.path, tmp_path / "run"))
    monkeypatch.setattr("tastemaker.index.choice.EXACT", 0)  # as if these were many
    clear_results(run, but=[name for name in (*FILES, *OPTIONAL) if name != NEIGHBOURS])
    keep_neighbours(trained.models.neural, run)
    seal_run(run, {})
    again = open_run(run)
    assert again.beside.search.index is not None and trained.beside.search.index is None
    for item in ("i7", "new"):
        assert ids(again.similar(item, 7)) == ids(trained.similar(item, 7))
    (run / INDEX / "vectors.safetensors").write_bytes(b"")
    with pytest.raises(ArtefactError):
        open_run(run)


def test_a_run_that_trains_on_answers_as_before_until_it_is_done(
    trained: SavedRun, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(trained.path, tmp_path / "run"))
    train_on(run)
    clear_results(run)
    assert not (run / NEIGHBOURS).exists()
    assert ids(open_run(run).similar("i7", 5)) == ids(trained.similar("i7", 5))


def test_a_trained_run_shows_what_goes_together(trained: SavedRun) -> None:
    examples = trained.results["together"]
    assert [one["relevance"] for one in examples[0]["lists"]] == [
        0.0,
        MTMHConfig().relevance,
        1.0,
    ]
    assert 'id="together"' in (trained.path / "report.html").read_text()


def test_a_model_without_heads_keeps_no_table(finished_run: Path, tmp_path: Path) -> None:
    keep_neighbours(open_run(finished_run).models.neural, tmp_path)
    assert not any(tmp_path.iterdir())


def test_vectors_that_are_no_numbers_are_refused_before_anything_is_kept(
    saved: SavedRun, tmp_path: Path
) -> None:
    heads = heads_of(saved)
    heads.target[4, 0] = np.nan
    with pytest.raises(NumericFault):
        keep_neighbours(Stand(heads), tmp_path)  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())


def test_a_model_of_other_items_is_refused(finished_run: Path) -> None:
    with pytest.raises(ArtefactError, match="other items"):
        with_heads(open_run(finished_run)).similar("i7")


def test_beside_an_item_heads_cannot_be_named(saved: SavedRun) -> None:
    for wish in ({"only": ["short-term"]}, {"boost": {"short-term": 0.3}}):
        with pytest.raises(BadInput, match="no group 'short-term'") as caught:
            saved.similar("i3", 3, **wish)  # type: ignore[arg-type]
        assert "Heads here" not in str(caught.value)
    assert {item.intent for item in saved.similar("i3", 3).items} == {""}


def test_items_beside_an_item_lie_apart(saved: SavedRun) -> None:
    plain = saved.similar("i7", 10)
    assert saved.similar("i7", 10, diversify=0.0) == plain
    apart = saved.similar("i7", 10, diversify=0.8)
    assert apart.items[0] == plain.items[0] and ids(apart) != ids(plain)
    shown = {item.item: item for item in saved.similar("i7", 100).items}
    assert all(item == shown[item.item] for item in apart.items)
    # By the rule, on the vectors of both heads side by side.
    vectors = unit(heads_of(saved).stored()).astype(float)
    every = saved.beside.shelf.log.item_codes
    left, listed = list(shown), ids(apart)[:1]
    for item in ids(apart)[1:]:
        chosen = [every[one] - 1 for one in listed]
        worth = {
            one: 0.2 * shown[one].score - 0.8 * max(vectors[chosen] @ vectors[every[one] - 1])
            for one in left
            if one not in listed
        }
        assert worth[item] == pytest.approx(max(worth.values()), abs=1e-5)
        listed.append(item)
    pages = [ids(saved.similar("i7", 5, offset=n, diversify=0.8)) for n in (0, 5)]
    assert [*pages[0], *pages[1]] == ids(apart)


def test_hidden_items_are_not_beside_an_item(saved: SavedRun) -> None:
    every = ids(saved.similar("i7", 8))
    assert ids(saved.similar("i7", 5, hidden=[*every[:2], "?"])) == every[2:7]


def test_no_history_speaks_for_what_is_beside_an_item(saved: SavedRun) -> None:
    with pytest.raises(BadInput) as caught:
        saved.similar("i7", because=True)
    assert caught.value.where == "--because"


APART = Wishes(2, diversify=0.3)


def test_what_was_found_before_is_a_look_up(finished_run: Path) -> None:
    opened = open_run(finished_run)
    beside, plain = opened.beside, Wishes(3)
    assert not beside.at_once("i7", plain)
    first = opened.similar("i7", 3)
    assert beside.at_once("i7", plain) and beside.at_once("i7", Wishes(2, offset=1))
    assert opened.similar("i7", 3) == first
    assert [one.item for one in opened.similar("i7", 2, offset=1).items] == ids(first)[1:]
    for wishes in (Wishes(3, deny=["i1"]), Wishes(3, relevance=0.2), Wishes(101), APART):
        assert not beside.at_once("i7", wishes)
    assert not beside.at_once("nowhere", plain)


def test_only_the_rows_that_were_asked_from_last_are_remembered(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "ROWS", 2)
    opened = open_run(finished_run)
    for item in ("i7", "i8", "i9"):
        opened.similar(item, 3)
    known = [opened.beside.at_once(item, Wishes(3)) for item in ("i7", "i8", "i9")]
    assert known == [False, True, True]


def test_a_table_is_looked_up_too(saved: SavedRun, tmp_path: Path) -> None:
    run = Path(shutil.copytree(saved.path, tmp_path / "run"))
    keep_neighbours(saved.models.neural, run)
    kept = replace(saved, path=run)
    assert kept.beside.at_once("i7", Wishes(3)) and not kept.beside.at_once("i7", Wishes(500))


def test_titles_find_an_item_and_ids_come_first(finished_run: Path) -> None:
    opened = open_run(finished_run)
    by_id, by_title = opened.similar("i7", 3), opened.similar("item <7>", 3)
    assert by_title == by_id and by_id.item == Chosen("i7", "Item <7>")
    with pytest.raises(BadInput, match="Did you mean"):
        opened.similar("itm <7", 3)
