"""The README and the pages are true: their code runs, their tables are those of the results."""

import json
import random
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import tastemaker
from tastemaker.cli import VERBS, main
from tastemaker.config import from_json
from tastemaker.data.datasets import load
from tastemaker.errors import BadInput
from tastemaker.options import RunOptions
from tastemaker.run import job
from tastemaker.train.config import FitConfig

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def test_the_readme_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it but the length of the training, which `make claims` runs in full."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job, "FitConfig", lambda: FitConfig(epochs=1))
    (code,) = blocks(ROOT / "README.md", "python")
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 6
    assert "ci95" in out[0]
    assert (tmp_path / "runs/first/report.html").is_file()


def test_the_commands_of_the_readme_work_on_any_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, on a log that has nothing but the three columns; trained shortly."""
    block = next(b for b in blocks(ROOT / "README.md", "bash") if "my-data/" in b)
    commands = [line for line in block.splitlines() if line.startswith("tastemaker ")]
    draw = random.Random(0)
    rows = [(u, i, t) for u in range(80) for t, i in enumerate(draw.sample(range(60), 12), 1)]
    text = "\n".join(["user_id,item_id,timestamp", *(f"{u},i{i},{t}" for u, i, t in rows)])
    (tmp_path / "my-data").mkdir()
    (tmp_path / "my-data/interactions.csv").write_text(text + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job, "FitConfig", lambda: FitConfig(epochs=1))
    for command in commands:
        short = command.replace("--trials 20", "--trials 1 --epochs 1")
        for model in ("priors", "persrec"):
            short = short.replace(f"train {model}", f"train {model} --fit.epochs 1")
        few = "--fit.epochs 1 --model.verify-epochs 1 --model.joint-epochs 1"
        short = short.replace("train vrec", f"train vrec {few}")
        assert main(shlex.split(short)[1:]) == 0, f"{command}: {capsys.readouterr().err}"
    assert any("--against" in command for command in commands)
    assert "hstu/" in capsys.readouterr().out


def test_the_home_page_has_the_quick_start_of_the_readme() -> None:
    assert blocks(ROOT / "docs/index.md", "python") == blocks(ROOT / "README.md", "python")
    assert "make run" in blocks(ROOT / "docs/index.md", "bash")[0]


@pytest.mark.parametrize(
    "rows", ["a,x,1,3\na,y,2,nan\n", "", "a,x,1,3\n,y,2,3\n"], ids=["nan", "empty", "no user"]
)
def test_what_the_readme_says_is_refused_is_refused(tmp_path: Path, rows: str) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp,value\n" + rows)
    with pytest.raises(BadInput):
        load(tmp_path)


def test_what_the_readme_says_of_options_is_so() -> None:
    with pytest.raises(BadInput, match="seed"):
        from_json(RunOptions, {"sead": 1}, "config.json")
    code = "__import__('os').system('false')"
    assert from_json(RunOptions, {"data": code}, "config.json").data == code


def test_every_target_is_explained_and_stands_where_the_page_says() -> None:
    text = (ROOT / "docs/performance.md").read_text()
    cells = re.findall(r"^\| (P\d+) \|.*\| ([^|]+) \|$", text, re.MULTILINE)
    assert [name for name, _ in cells] == [f"P{n}" for n in range(1, 12)]
    measured = {}
    for path in (ROOT / "results").glob("bench-*.json"):
        for row in json.loads(path.read_text())["rows"]:
            for name in re.findall(r"\((P\d+)\)$", row["what"]):
                measured[name] = f"`{path.stem}`"
    assert {name: where for name, where in cells if "not yet due" not in where} == measured


def test_every_public_name_has_its_place_in_the_api_pages() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "docs/api").glob("*.md"))
    for name in tastemaker.__all__:
        assert f"`tm.{name}`" in pages
        assert re.search(rf"^::: tastemaker\.[\w.]+\.{name}$", pages, re.MULTILINE), name


def test_pictures_are_small() -> None:
    for name in ("report.png", "page.png"):
        assert (ROOT / "docs/figures" / name).stat().st_size <= 300_000


def test_the_tour_runs_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(ROOT / "docs/tour.md", "python")
    exec(compile(code, "tour.md", "exec"), {})
    ndcg, hr = map(float, capsys.readouterr().out.split())
    assert 0.04 < ndcg < hr < 0.2


def test_the_page_on_pictures_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it but the size of the toy and the length of the training."""
    pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("PIL", reason="needs tastemaker[vision]")
    from tests.run.embedded import small_config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    (code,) = blocks(ROOT / "docs/embed.md", "python")
    few = code.replace("most=1", "most=1, items=60, users=2")
    assert few != code and code.count("EmbedConfig(") == 1
    short = few.replace("EmbedConfig(", "replace(SHORT, ")
    exec(compile(short, "embed.md", "exec"), {"SHORT": small_config(1), "replace": replace})
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert (tmp_path / "runs/toy/report.html").is_file()


def test_the_page_on_video_budgets_runs_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(ROOT / "docs/video.md", "python")
    exec(compile(code, "video.md", "exec"), {})
    best, first = capsys.readouterr().out.splitlines()
    assert best.count("[") == 2 and first.startswith("[0.")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_pages_exist(page: Path) -> None:
    for block in blocks(page, "bash"):
        for line in re.findall(r"^tastemaker (.*)", block, re.MULTILINE):
            assert any(line.startswith(verb) for verb in VERBS), line
    targets = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", targets, re.MULTILINE) or target in ("anything",), target


def test_tables_are_those_of_the_results() -> None:
    command = [sys.executable, ROOT / "recipes" / "render.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"stale, run recipes/render.py: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


FIRST = {
    "priors": "R1",
    "persrec": "G1",
    "gistbench": "R1",
    "sasrec_ml1m": "R1",
    "priors_events": "R1",
    "persrec_worlds": "L1",
    "gistbench_models": "R3",
    "vrec": "F",
    "restrain": "R1",
    "restrain_arithmetic": "R1",
    "restrain_counting": "F",
    "restrain_smollm": "S",
    "fedssd": "R1",
    "fedssd_gate": "G1",
    "fedssd_items": "I1",
    "fedssd_bound": "B1",
    "vtool_bounds": "R1",
    "vtool": "R2",
    "vtool_real": "V1",
    "cafe": "R1",
    "cafe_pool": "R5",
    "cafe_items": "I1",
    "video_recovery": "V1",
    "video_budget": "R3",
}
"""Recipe → a relation that it states; the last are slower."""
TOYS = [
    pytest.param(name, marks=[pytest.mark.slow] if place > 2 else [])
    for place, name in enumerate(FIRST)
]


@pytest.mark.parametrize("recipe", TOYS)
def test_recipes_run_their_toy(recipe: str) -> None:
    command = [sys.executable, ROOT / "recipes" / f"{recipe}.py", "--toy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert f"{FIRST[recipe]} " in done.stdout
