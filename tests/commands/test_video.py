"""tastemaker video as a person meets it."""

import json
import re
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.run import video as job
from tests.embed.surfaces import planted, sixty
from tests.run.test_video import write_runs


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(job, "_STARTS", 5)
    monkeypatch.setattr(job, "_REFITS", 3)
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()))
    fit = ["--out", str(tmp_path / "fit.json"), "--form", "add", "--starts", "10"]
    return ["video", "fit", "--points", str(runs), *fit, "--refits", "10"]


def test_runs_become_a_plan_and_a_page(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert "add, fitted to 60 runs" in capsys.readouterr().out
    plan = ["video", "plan", "--fit", str(tmp_path / "fit.json"), "--examples", "1e6"]
    assert main([*plan, "--flops", "15e12"]) == 0
    shown = capsys.readouterr().out
    assert re.findall(r"^(\d)\. ", shown, re.MULTILINE) == list("123456789")
    assert shown.count("[your fit") == 8 and shown.count("[literature]") == 1
    assert main([*plan, "--flops", "15e12", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["best"]["source"] and told["warnings"]["points"] == 60
    page = str(tmp_path / "page.html")
    drawn = ["video", "plot", "--fit", str(tmp_path / "fit.json"), "--examples", "1e6"]
    assert main([*drawn, "--out", page]) == 0
    assert page in capsys.readouterr().out.replace("\n", "")


def test_bad_words_are_refused_with_a_fix(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["video", "fit"]) == 2
    assert "--points" in capsys.readouterr().err
    assert main(["video", "fit", "--points", str(tmp_path / "none.csv")]) == 2
    assert main([*words, "--vision-parameters", "-1"]) == 2
    assert main(words) == 0
    capsys.readouterr()
    plan = ["video", "plan", "--fit", str(tmp_path / "fit.json")]
    assert main([*plan, "--flops", "2e12", "--examples", "8000"]) == 2
    assert "2.674e+12" in capsys.readouterr().err
    assert main([*plan, "--flops", "2e13"]) == 2
    assert "--examples" in capsys.readouterr().err
    assert (
        main(
            [
                "video",
                "plan",
                "--fit",
                str(tmp_path / "runs.csv"),
                "--flops",
                "1e13",
                "--examples",
                "1",
            ]
        )
        == 3
    )


def test_a_sweep_ends_with_the_command_that_fits_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def sweep(config: object, things: object, held: object, out: Path, resume: bool) -> object:
        asked.extend([config, out, resume])
        return {"runs": 3, "encoder": 0.9, "points": f"{out}/points.csv", "fit": "tastemaker video"}

    monkeypatch.setattr("tastemaker.run.video_sweep.sweep_video", sweep)
    words = ["video", "sweep", "--out", str(tmp_path), "--cells", "3", "--frames", "1", "2"]
    assert main([*words, "--resume"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "3 runs; the frame encoder tells 90% of places"
    assert shown[2] == "tastemaker video"
    config, out, resume = asked
    assert vars(config)["cells"] == 3 and vars(config)["frames"] == (1, 2)
    assert (out, resume) == (tmp_path, True)
    assert main(["video", "sweep", "--garments", str(tmp_path)]) == 2
