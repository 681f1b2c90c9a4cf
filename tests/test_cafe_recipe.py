"""The recipe on CAFe: its scenes, what a tower learns first, what is counted, and what is kept."""

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="transformers is not installed: it comes with llm")

from tastemaker.worlds.scenes import Thing


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file that recipes share."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "recipes"))
    return importlib.import_module


@pytest.fixture
def small(shared: Any) -> Any:
    return shared("cafe_world").Sizes(train=30, test=40, told=20, shapes=True)


def test_no_picture_of_a_thing_stands_in_two_parts(shared: Any) -> None:
    parts = shared("cafe_world").plain()
    seen = [{image.tobytes() for kind in one.images for image in kind} for one in parts]
    assert all(seen) and len(set.union(*seen)) == sum(map(len, seen))


def test_seeds_learn_from_other_scenes_and_are_tested_on_the_same(small: Any) -> None:
    one, other, tested = small.learnt(0), small.learnt(1), small.measured()
    assert one.things != other.things
    assert (tested.images == small.measured().images).all()
    assert tested.things != small.measured(validate=True).things


def test_a_scene_is_captioned_first_and_asked_about_evenly(shared: Any, small: Any) -> None:
    world = shared("cafe_world")
    scenes = small.learnt(0)
    for pair, things, said in zip(
        world.pairs(scenes, 0), scenes.things, world.captions(scenes), strict=True
    ):
        assert pair.turns[0] == (world.CAPTION, said) and pair.text == said
        yes = [answer for _, answer in pair.turns[1:]]
        assert yes.count("yes") == yes.count("no") == len(things)
        assert pair.picture.shape == (64, 64, 3)


def test_a_cell_is_read_where_it_lies(shared: Any) -> None:
    world = shared("cafe_tower")
    assert world.cells([Thing(2, True, 1), Thing(0, False, 3)]) == [0, 6, 0, 1]
    places = torch.arange(16.0).reshape(1, 16, 1)
    seen = SimpleNamespace(tower=lambda pixels, **_: SimpleNamespace(hidden_states=(places,)))
    tower = world.CellTower(seen, 1, 1)
    tower.read = torch.nn.Identity()
    assert tower.logits(torch.zeros(1)).long().tolist() == [
        [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    ]


def perfect(shared: Any, sizes: Any) -> dict[str, Any]:
    """What a model says that knows everything."""
    arms, world = shared("cafe_said"), shared("cafe_world")
    scenes = sizes.measured()
    said = world.captions(scenes)
    every = arms.asked(scenes, sizes.told)
    right = {(one.scene, one.text): one.yes for many in every.values() for one in many}
    one_hot = np.eye(len(said))[[said.index(text) for text in said]]
    return {
        "picture": one_hot,
        "text": one_hot,
        "captions": np.array(said[: sizes.told]),
        "losses": np.array([[0.0, 9.0]] * sizes.told),
        "answers": np.array(["yes" if right[one] else "no" for one in arms.every_question(every)]),
    }


def test_who_knows_everything_is_right_in_all(shared: Any, small: Any) -> None:
    scores, tables = shared("cafe_scores"), shared("cafe_tables")
    world, said = small.measured(), perfect(shared, small)
    found = {name: float(values.mean()) for name, values in scores.scores(said, world).items()}
    none = ("hallucinated", "log_perplexity")
    assert {name: found[name] for name in none} == dict.fromkeys(none, 0.0)
    assert {found[name] for name in scores.METRICS if name not in none} == {1.0}
    assert scores.f1(scores.counts(said, world).mean(0)) == 1
    rows = tables.asked_rows(said, world)
    assert len(rows) == 4 and {row["f1"] for row in rows.values()} == {1}
    assert {row["yes_rate"] for row in rows.values()} == {0.5}
    assert tables.told_row(said, world)["exact"] == 1 == tables.told_row(said, world)["perplexity"]
    assert tables.vectors_row(said, world)["gap"] == 0


def test_a_caption_nobody_can_read_claims_nothing(shared: Any, small: Any) -> None:
    scores = shared("cafe_scores")
    said = perfect(shared, small) | {"captions": np.array(["a a a"] * small.told)}
    found = scores.captioned(said, small.measured()).measures()
    assert (found["unread"], found["object_recall"], found["hallucinated"]) == (1, 0, 0)


def test_what_means_give_is_compared_with_its_interval(shared: Any) -> None:
    scores, rng = shared("cafe_scores"), np.random.default_rng(0)
    far = [rng.normal([3.0, 4.0], 0.1, (200, 2)) for _ in range(3)]
    near = [rng.normal([0.0, 1.0], 0.1, (200, 2)) for _ in range(3)]
    found = scores.of_means(far, near, scores.gap)
    low, high = found.ci95
    assert low < found.difference < high and found.difference == pytest.approx(4, abs=0.05)
    assert found.reference == pytest.approx(1, abs=0.05) and found.seeds_agreeing == 3
    same = scores.of_means(far, far, scores.gap)
    assert (same.difference, same.ci95) == (0, (0, 0))


def test_claims_have_their_margins(shared: Any) -> None:
    scores, evidence = shared("cafe_scores"), shared("evidence")
    found = evidence.Evidence("x", "", "", "toy", [0], scores.METRICS)
    for arm in scores.MAIN:
        found.add(arm, {metric: np.full(5, 0.5) for metric in scores.METRICS})
    scores.shifted(found)
    assert all({a, b} <= found.values.keys() for _, _, a, b, _ in scores.CLAIMS)
    for _, claim, a, b, metric in scores.CLAIMS:
        found.relate("", claim, a, b, metric)
    gaps = [one["difference"] for one in found.relations]
    assert gaps == pytest.approx([0.02, 0, 0.02, 0.02, 0.02, 0, -np.log(2), np.log(1.05), 0, 0.02])


def test_what_was_learnt_and_said_is_kept(shared: Any, small: Any, tmp_path: Path) -> None:
    arms = shared("cafe_arms")
    budget = arms.Budget(small, tower_epochs=1, warm_steps=1, steps=1, batch=4)
    kept = arms.Kept(tmp_path, 0, budget)
    said = kept.said("CAFe")
    again = arms.Kept(tmp_path, 0, budget).said("CAFe")
    assert said["picture"].shape == said["text"].shape == (40, 128)
    assert len(said["captions"]) == len(said["losses"]) == 20
    assert all((said[name] == again[name]).all() for name in said)
    assert kept.cost("base") > 0 and kept.cost("CAFe") > 0


def test_garments_are_those_of_their_files(
    shared: Any, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMAKER_DATA", str(shared_data))
    train, tuning, tested = shared("cafe_world").sprites()
    assert sum(map(len, train.images)) == shared("cafe_world").GARMENTS
    assert sum(map(len, tuning.images)) + sum(map(len, tested.images)) == 10_000
