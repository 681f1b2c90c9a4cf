"""A fit is found again as it was saved, and what is no fit is refused."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit, open_fit, save_fit
from tastemaker.embed.video_forms import FORMS, Form
from tastemaker.errors import ArtefactError, BadInput
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


@pytest.mark.parametrize("form", FORMS)
def test_every_form_comes_back_with_what_varied_and_answers_the_same(
    tmp_path: Path, form: Form
) -> None:
    points = sixty(planted())
    still = replace(points, n=np.full(60, 1e6))
    for number, runs in enumerate((points, still)):
        law = fit_law(runs, VideoFitConfig(form, 2, 3, "huber", 5))
        path = tmp_path / f"{number}.json"
        save_fit(path, VideoFit({"all tasks": law, "order": law}, VideoCost(), AXES, {}))
        back = open_fit(path)
        assert list(back.laws) == ["all tasks", "order"] and back.law.config == law.config
        assert back.law.active == law.active and back.law.layout == law.layout
        assert np.array_equal(back.law.ends, law.ends) and back.law.points == 60
        for n in (1e5, 4e6):
            one, other = law.predict(GRID, n), back.law.predict(GRID, n)
            for name, values in vars(one).items():
                assert vars(other)[name] == pytest.approx(values, rel=1e-8)
        assert back.law.beyond(GRID[0] / 2, 1e9) == pytest.approx(law.beyond(GRID[0] / 2, 1e9))


def test_saving_what_was_opened_changes_nothing(tmp_path: Path) -> None:
    """The bytes are those of the first time but for last digits of logs, and again the same."""
    save_fit(tmp_path / "a.json", fitted())
    save_fit(tmp_path / "b.json", open_fit(tmp_path / "a.json"))
    save_fit(tmp_path / "c.json", fitted())
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "c.json").read_bytes()
    first, again = (json.loads((tmp_path / f"{n}.json").read_text()) for n in "ab")
    for name in ("axes", "cost", "checks", "notes", "kind", "schema"):
        assert first[name] == again[name]
    left, right = (told["laws"]["all tasks"]["values"] for told in (first, again))
    assert np.allclose(left, right, rtol=1e-9)


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    path, rng = tmp_path / "fit.json", np.random.default_rng(0)
    save_fit(path, fitted())
    raw = path.read_bytes()
    before = json.loads(raw)
    for _ in range(60):
        changed = bytearray(raw)
        changed[rng.integers(len(raw))] = rng.integers(32, 127)
        path.write_bytes(changed)
        try:
            same = json.loads(changed) == before
        except ValueError:
            same = False
        if not same:
            with pytest.raises(ArtefactError):
                open_fit(path)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", "{}", '{"kind": "video law"}', "parameters,frames\n1,2\n", "\x00\x01",
     "[" * 9999, '{"kind": "video law", "schema": 1}',
     '{"kind": ["video law"], "schema": 1}', "1e999", "NaN"],
)  # fmt: skip
def test_files_of_others_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fit.json"
    path.write_text(content)
    with pytest.raises(ArtefactError) as refused:
        open_fit(path)
    assert refused.value.where == str(path) and "tastemaker video fit" in refused.value.fix


def test_where_there_is_no_fit_yet_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="There is no fit") as refused:
        open_fit(tmp_path / "runs" / "fit.json")
    assert "tastemaker video fit --points" in refused.value.fix and "--fit" in refused.value.fix


def test_a_folder_and_a_device_are_no_fit(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="folder"):
        open_fit(tmp_path)
    with pytest.raises(BadInput, match="device"):
        open_fit(Path(os.devnull))
