"""The README and the pages are true: their code runs, their tables are those of the results."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker.cli import VERBS
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


def test_the_tour_runs_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(ROOT / "docs/tour.md", "python")
    exec(compile(code, "tour.md", "exec"), {})
    ndcg, hr = map(float, capsys.readouterr().out.split())
    assert 0.04 < ndcg < hr < 0.2


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_pages_exist(page: Path) -> None:
    for block in blocks(page, "bash"):
        for line in re.findall(r"^tastemaker (.*)", block, re.MULTILINE):
            assert any(line.startswith(verb) for verb in VERBS), line
    targets = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z]+)", page.read_text()):
        assert re.search(rf"^{target}:", targets, re.MULTILINE) or target in ("anything",), target


def test_tables_are_those_of_the_results() -> None:
    command = [sys.executable, ROOT / "recipes" / "render.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"stale, run recipes/render.py: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("recipe", ["sasrec_ml1m"])
def test_recipes_run_their_toy(recipe: str) -> None:
    command = [sys.executable, ROOT / "recipes" / f"{recipe}.py", "--toy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "R1 " in done.stdout
