"""A fit is found again as it was saved, and what is no fit is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit, open_fit, save_fit
from tastemaker.errors import ArtefactError
from tests.embed.surfaces import GRID, planted, sixty

AXES = tuple(tuple(np.unique(GRID[:, k]).tolist()) for k in range(3))


def fitted() -> VideoFit:
    law = fit_law(sixty(planted()), VideoFitConfig("add-interact-s", 10, 5, seed=7))
    return VideoFit({"all tasks": law}, VideoCost(1e8), AXES, {"fitted": {"r2": 0.9}}, ("note",))


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    fit, path = fitted(), tmp_path / "new" / "fit.json"
    save_fit(path, fit)
    back = open_fit(path)
    assert back.cost == fit.cost and back.axes == fit.axes and back.notes == fit.notes
    assert back.checks == fit.checks and np.array_equal(back.grid, GRID)
    assert back.law.config == fit.law.config and back.law.active == fit.law.active
    assert back.law.predict(GRID, 1e6).error == pytest.approx(fit.law.predict(GRID, 1e6).error)
    told = json.loads(path.read_text())["laws"]["all tasks"]
    assert told["data_sha256"] == fit.law.data_sha256 and told["config"]["seed"] == 7
    assert told["config"]["form"] == "add-interact-s" and len(told["scaling"]["factors"]) == 4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"note"', '"other"'),
        lambda text: text.replace('"video law"', '"another"'),
        lambda text: text.replace('"schema": 1', '"schema": 99'),
    ],
)
def test_what_is_no_whole_fit_is_refused(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "fit.json"
    save_fit(path, fitted())
    path.write_text(spoil(path.read_text()))
    with pytest.raises(ArtefactError):
        open_fit(path)
    with pytest.raises(ArtefactError):
        open_fit(tmp_path / "none.json")
