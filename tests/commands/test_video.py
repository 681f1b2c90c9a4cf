"""tastemaker video as a person meets it."""

import contextlib
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tastemaker.cli import main
from tastemaker.commands.video_options import VideoFitOptions, VideoPlanOptions, VideoPlotOptions
from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit, save_fit
from tastemaker.files import JsonObject
from tastemaker.run import video as job
from tests.embed.surfaces import GRID, planted, sixty
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
    assert main(["video", "plan", "--fit", str(tmp_path / "runs.csv"), "--flops", "1e13",
                 "--examples", "1"]) == 3  # fmt: skip


@pytest.fixture(scope="module")
def fit_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fit of two tasks with a cost of its own."""
    folder = tmp_path_factory.mktemp("fit")
    law = fit_law(sixty(planted("add")), VideoFitConfig("add", 8, 6))
    axes = tuple(tuple(np.unique(GRID[:, k]).tolist()) for k in range(3))
    laws = {"all tasks": law, "order": law}
    checks: JsonObject = {"fitted": {"percent": 1.0, "r2": 0.9, "mse": 0.1, "points": 60}}
    save_fit(folder / "fit.json", VideoFit(laws, VideoCost(0.3e9), axes, checks))
    return folder / "fit.json"


def planned(fit: Path, *more: str, flops: str = "15e12", examples: str = "1e6") -> list[str]:
    return ["video", "plan", "--fit", str(fit), "--flops", flops, "--examples", examples, *more]


def test_every_line_says_its_source_and_the_json_has_the_same(
    fit_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(planned(fit_file)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert main(planned(fit_file, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    lines = re.split(r" (?=[1-9]\. [A-Z0-9])", text)[1:]
    names = ["best", "runners_up", "gain", "marginal", "next", "lm_only", "tasks", "break_even",
             "warnings"]  # fmt: skip
    assert len(lines) == 9 and [name for name in told if name in names] == names
    for line, name in zip(lines, names, strict=True):
        assert line.endswith(f"[{told[name]['source']}]") and line.count("[your fit]") == 1
    best = told["best"]
    for shown in (f"error {best['error']:.4f}", f"{best['frames']:g} frames",
                  f"{best['tokens']:g} tokens", f"{best['interval90'][1]:.4f}"):  # fmt: skip
        assert shown in lines[0]
    assert told["gain"]["naive"] in lines[2] and f"wants {told['marginal']['wants']}" in lines[3]
    assert "order wants" in lines[6] and "LongVideoBench" not in text
    assert f"{told['break_even']['videos']:,.0f} videos" in lines[7]
    for key in ("fit", "form", "data_sha256", "flops", "examples", "videos_per_month"):
        assert key in told


def test_what_lies_outside_is_said_with_its_factor(
    fit_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(planned(fit_file, examples="5e6")) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "examples lie outside what was measured by a factor of 5" in text
    assert main(planned(fit_file, "--json", examples="2.5e4")) == 0
    beyond = json.loads(capsys.readouterr().out)["warnings"]["beyond"]
    assert beyond == pytest.approx({"examples": 10.0})


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [("--flops", "0", "--flops"), ("--flops", "-1", "--flops"), ("--flops", "x", "--flops"),
     ("--examples", "0", "--examples"), ("--examples", "1e300", "--examples"),
     ("--videos-per-month", "-1", "--videos-per-month"), ("--frames", "3", "--frames"),
     ("--flops", "1e12", "the smallest"), ("--grid", "none.json", "none.json")],
)  # fmt: skip
def test_words_that_plan_nothing_are_refused_by_name(
    fit_file: Path, option: str, value: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"--fit": str(fit_file), "--flops": "15e12", "--examples": "1e6", option: value}
    assert main(["video", "plan", *(word for pair in asked.items() for word in pair)]) == 2
    out, err = capsys.readouterr()
    assert not out and "twice" not in err and "Traceback" not in err
    assert told in " ".join(err.split())


def test_errors_are_json_where_json_is_asked(
    fit_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(planned(fit_file, "--json", flops="1e12")) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["where"] == "--flops" and told["exit_code"] == 2 and told["fix"]
    runs = tmp_path / "runs.csv"
    runs.write_text("n_billion,frames,tokens,samples,acc\n1,2,3,4,50\n")
    out = str(tmp_path / "fit.json")
    assert main(["video", "fit", "--points", str(runs), "--out", out, "--json"]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [one["column"] for one in problems] == ["parameters", "examples", "score"]
    assert all("Rename" in one["fix"] for one in problems) and not Path(out).exists()
    assert main(planned(tmp_path / "none.json", "--json")) == 3
    assert json.loads(capsys.readouterr().out)["exit_code"] == 3


@pytest.mark.parametrize("rows", ["", "1e9,4,4,10,0.5\n", "1e9,4,4,10,-0.5\n", "1e9,4,4,10,nan\n",
                                  "1e9,4,4,10,1.5\n", "1e9,4,4,10\n", ",,,,\n"])  # fmt: skip
def test_tables_that_fit_nothing_end_in_words(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, out = tmp_path / "runs.csv", tmp_path / "fit.json"
    runs.write_text(f"parameters,frames,tokens,examples,score\n{rows}")
    assert main(["video", "fit", "--points", str(runs), "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and err.count("Error") == 1 and not out.exists()


def test_too_few_runs_say_how_many_more_and_what_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()).of(np.arange(0, 60, 6)))
    out = tmp_path / "fit.json"
    assert main(["video", "fit", "--points", str(runs), "--out", str(out)]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert "5 more runs" in err and "--form mult or add" in err and not out.exists()


@pytest.mark.parametrize("verb", ["fit", "plan", "plot"])
def test_help_tells_every_option_and_what_it_is(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):
        assert main(["video", verb, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    kinds = {"fit": VideoFitOptions, "plan": VideoPlanOptions, "plot": VideoPlotOptions}
    for field in dataclasses.fields(kinds[verb]):
        assert f"--{field.name.replace('_', '-')}" in text
    if verb == "fit":
        assert all(name in text for name in ("parameters", "frames", "tokens", "examples", "score"))


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
