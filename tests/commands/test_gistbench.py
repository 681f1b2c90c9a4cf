"""tastemaker gistbench as a person meets it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tastemaker.cli import main
from tastemaker.models.generate import Scripted
from tastemaker.understand import contestants
from tests.understand.gist_tasks import speaks

SMALL = ["--pool", "60", "--test-size", "12", "--backing", "3", "--limit", "4"]


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["gistbench", *words])
    return code, capsys.readouterr().out


@pytest.fixture
def runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    made = []
    for model in ("oracle", "popularity"):
        made.append(str(tmp_path / model))
        words = ["run", "planted", "--model", model, "--judge", "truth", "--out", made[-1]]
        assert call(capsys, *words, *SMALL)[0] == 0
    return made


def test_runs_are_made_scored_and_ranked(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = call(capsys, "score", runs[0])
    assert code == 0
    for told in ("oracle on planted: 4 users, judged by truth", "HM", "1.000 to 1.000", runs[0]):
        assert told in out.replace("\n", ""), told
    page, text = tmp_path / "board.html", tmp_path / "board.md"
    code, out = call(capsys, "leaderboard", *runs, "--html", str(page), "--markdown", str(text))
    assert code == 0
    assert out.index("oracle") < out.index("popularity")
    assert "<svg" in page.read_text()
    assert text.read_text().startswith("# GISTBench leaderboard")


def test_answers_are_json_without_the_numbers_of_every_user(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    results = json.loads(call(capsys, "score", runs[0], "--json")[1])
    assert results["scores"]["hm"]["mean"] == 1
    assert "per_user" not in results
    board = json.loads(call(capsys, "leaderboard", *runs, "--json")[1])
    assert list(board["rankings"][0]["models"]) == ["oracle", "popularity"]
    known = json.loads(call(capsys, "ls", "--json")[1])
    assert "planted" in known["tasks"]
    assert known["baselines"] == ["popularity", "echo", "counting"]


def test_tasks_and_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = call(capsys, "ls")
    assert code == 0
    assert "movielens-small" in out
    assert "wrong-counts" in out


def test_a_run_goes_on_and_another_is_refused(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "planted", "--model", "oracle", "--judge", "truth", "--out", runs[0], *SMALL]
    assert call(capsys, *words)[0] == 2
    assert call(capsys, *words, "--resume")[0] == 0
    assert call(capsys, *words, "--resume", "--mode", "reference")[0] == 2
    assert call(capsys, "score", str(Path(runs[0]).parent))[0] == 3


@pytest.mark.parametrize(
    "words",
    [
        ["run", "planted"],
        ["run", "planted", "--model", "oracle", "--repeats", "3"],
        ["run", "planted", "--model", "oracle", "--judge-url", "http://x"],
        ["run", "planted", "--model", "oracle", "--judge", "echo"],
        ["run", "planted", "--model", "oracle", "--mode", "other"],
        ["run", "no-such-task", "--model", "echo"],
        ["leaderboard"],
        ["validate", "planted"],
    ],
)
def test_what_cannot_be_meant_exits_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert call(capsys, *words)[0] == 2


def test_language_models_are_asked_within_limits_and_never_judge_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def opened(name: str, url: str, calling: Any) -> Scripted:
        assert calling.prices.reply == 20
        return Scripted(speaks, identity=name + url)

    monkeypatch.setattr(contestants, "opened", opened)
    words = ["run", "planted", "--model", "mine", *SMALL, "--reply-price", "20",
             "--url", "http://x", "--out", str(tmp_path / "mine")]  # fmt: skip
    assert call(capsys, *words, "--most-cost", "0.1")[0] == 2
    itself = ["--judge", "mine", "--judge-url", "http://x"]
    assert call(capsys, *words, *itself)[0] == 2
    code, out = call(capsys, *words, "--most-cost", "0.1", "--yes")
    assert code == 0
    assert "model: 4 replies" in out
    again = [*words[:-1], str(tmp_path / "itself"), *itself, "--allow-self-judge"]
    assert call(capsys, *again)[0] == 0
