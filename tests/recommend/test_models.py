"""The models of a run: all fitted, saved and opened alike, each under its name."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.recommend import ease
from tastemaker.recommend.answer import open_run
from tastemaker.recommend.models import Models, build
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tests.contracts import ITEMS, some_contexts


def fitted() -> Models:
    torch.manual_seed(0)
    neural = SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8, history=6), ITEMS)
    return Models.fit_counting("sasrec", neural, some_contexts(25, seed=9), ITEMS)


def test_candidates_are_the_items_trained() -> None:
    models = fitted()
    trained = set(some_contexts(25, seed=9).items.tolist())
    assert set((np.flatnonzero(models.candidates) + 1).tolist()) == trained


def test_a_model_that_is_too_large_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ease, "LARGEST", 5)
    models = fitted()
    assert "ease" not in models.names
    assert models.skipped is not None
    assert "the limit is 5" in models.skipped["ease"]
    assert list(models.parts()) == ["sasrec", "markov-last-5"]


def test_the_blend_has_a_name_once_it_has_weights() -> None:
    models = fitted()
    assert "blend" not in models.names
    with pytest.raises(BadInput, match="no model 'blend'"):
        models.get("blend")
    models.weights = {"sasrec": 1.0, "markov-last-5": 0.5, "ease": 3.0}
    rows = some_contexts(4)
    parts = models.parts()
    want = sum(w * parts[name].score(rows) for name, w in models.weights.items())
    torch.testing.assert_close(models.get("blend").score(rows), want)


def test_saved_models_score_the_same(finished_run: Path) -> None:
    saved = open_run(finished_run)
    again = open_run(finished_run)
    rows = saved.context("u1")
    for name in saved.models.names:
        one, two = saved.models.get(name), again.models.get(name)
        assert torch.equal(one.score(rows), two.score(rows)), name


def test_weights_of_another_shape_are_refused(finished_run: Path) -> None:
    saved = open_run(finished_run)
    wider = saved.config | {"model_config": saved.config["model_config"] | {"dim": 16}}
    with pytest.raises(ArtefactError, match="does not fit"):
        Models.open(finished_run, wider, saved.interactions)


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"hidden_size": 3}, "Unknown option"),
        ({"dim": "8"}, "whole number"),
        ({"dim": 8.5}, "whole"),
    ],
)
def test_stored_options_are_read_strictly(values: dict[str, object], cause: str) -> None:
    with pytest.raises(BadInput, match=cause):
        build("sasrec", values, 10)
