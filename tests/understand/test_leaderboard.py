"""Runs that may be compared share a ranking; others never do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import read_json, write_json
from tastemaker.report.leaderboard import render
from tastemaker.understand.gistbench import run
from tastemaker.understand.gistbench_folder import CONFIG
from tastemaker.understand.gistbench_results import RESULTS, score
from tastemaker.understand.leaderboard import leaderboard
from tastemaker.understand.leaderboard_text import markdown
from tastemaker.understand.simulated import Simulated
from tests.understand.gist_tasks import OPTIONS, TASK, TRUTH, WORLD

MODELS = ("length limited", "oracle", "echo everything")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    made = []
    for name in MODELS:
        folder = tmp_path_factory.mktemp("runs") / name
        score(run(TASK, Simulated(name, WORLD), TRUTH, folder, OPTIONS))
        made.append(folder)
    return made


def changed(folder: Path, into: Path, **other: Any) -> Path:
    """The run, as if it were of something else."""
    into.mkdir()
    write_json(into / RESULTS, read_json(folder / RESULTS) | other)
    return into


def test_the_best_stands_first_and_others_are_compared_with_it(folders: list[Path]) -> None:
    (ranking,) = leaderboard(folders)["rankings"]
    assert ranking["by"] == "hm"
    assert list(ranking["models"]) == ["oracle", "length limited", "echo everything"]
    assert [pair["b"] for pair in ranking["comparisons"]] == ["oracle", "oracle"]
    for pair in ranking["comparisons"]:
        assert pair["difference"] < 0
        assert pair["ci95"][0] <= pair["difference"] <= pair["ci95"][1] < 0
        assert pair["p"] >= pair["p_uncorrected"]
        assert pair["users"] == 6
    assert max(p["p"] / p["p_uncorrected"] for p in ranking["comparisons"]) == pytest.approx(2)


@pytest.mark.parametrize(
    "other",
    [
        {"task": {"name": "planted", "sha256": "x"}},
        {"oracle_sha256": "x"},
        {"taxonomy_sha256": None},
        {"mode": "reference"},
        {"judge": None},
        {"judge": {"name": "truth", "identity": "x"}},
        {"users": {"scored": 6, "excluded": [], "sha256": "x"}},
        {"format": 2},
    ],
    ids=lambda other: next(iter(other)),
)
def test_rows_of_something_else_never_share_a_ranking(
    folders: list[Path], tmp_path: Path, other: dict[str, Any]
) -> None:
    foreign = changed(folders[0], tmp_path / "foreign", **other)
    board = leaderboard([*folders, foreign])
    assert [len(ranking["models"]) for ranking in board["rankings"]] == [3, 1]
    assert board["rankings"][1]["comparisons"] == []


def test_two_runs_of_a_model_are_told_apart_by_their_folders(
    folders: list[Path], tmp_path: Path
) -> None:
    again = changed(folders[0], tmp_path / "again")
    (ranking,) = leaderboard([folders[0], again])["rankings"]
    assert all("length limited (" in label for label in ranking["models"])
    (pair,) = ranking["comparisons"]
    assert (pair["difference"], pair["p"]) == (0, 1)


def test_a_ranking_without_a_judge_is_by_what_is_known(tmp_path: Path) -> None:
    made = []
    for name in MODELS[:2]:
        made.append(tmp_path / name)
        score(run(TASK, Simulated(name, WORLD), None, made[-1], replace(OPTIONS, limit=4)))
    (ranking,) = leaderboard(made)["rankings"]
    assert ranking["by"] == "ig_f1"
    assert "judge: none" in markdown({"rankings": [ranking]})


def test_pages_hold_every_model_and_escape_foreign_names(
    folders: list[Path], tmp_path: Path
) -> None:
    hostile = {"name": "a|b<i>`\x1b[31m", "identity": "x"}
    foreign = changed(folders[0], tmp_path / "foreign", model=hostile)
    board = leaderboard([*folders, foreign])
    text, page = markdown(board), render(leaderboard([foreign]))
    assert all(name in text for name in MODELS)
    assert "a\\|b\\<i\\>" in text
    assert "<i>" not in page
    assert "\x1b" not in text + page
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows[:6]}) == 1
    assert "[1.000, 1.000]" in text


def test_what_cannot_be_ranked_is_refused(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing"):
        leaderboard([])
    with pytest.raises(BadInput, match="twice"):
        leaderboard([folders[0], folders[0]])
    with pytest.raises(ArtefactError, match="missing"):
        leaderboard([tmp_path])
    write_json(tmp_path / RESULTS, {})
    with pytest.raises(ArtefactError, match="results"):
        leaderboard([tmp_path])


@pytest.mark.parametrize(
    "other",
    [
        {"scores": {"hm": "x", "ig_f1": None, "ig_p": None}},
        {"scores": {"hm": {"mean": "x", "ci95": [0, 1]}, "ig_f1": None, "ig_p": None}},
        {"per_user": {}},
        {"per_user": {"users": ["u0"], "hm": [], "ig_f1": [], "ig_p": []}},
        {"users": []},
        {"judge": "truth"},
    ],
)
def test_damaged_results_are_refused_and_the_way_to_mend_them_is_told(
    folders: list[Path], tmp_path: Path, other: dict[str, Any]
) -> None:
    folder = changed(folders[0], tmp_path / "run", **other)
    with pytest.raises(ArtefactError, match="gistbench score"):
        leaderboard([folders[1], folder])


def test_a_run_without_results_is_to_be_scored_and_another_folder_to_be_left_out(
    folders: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(ArtefactError, match="Name the folders"):
        leaderboard([tmp_path])
    write_json(tmp_path / CONFIG, read_json(folders[0] / CONFIG))
    with pytest.raises(ArtefactError, match="gistbench score"):
        leaderboard([tmp_path])
