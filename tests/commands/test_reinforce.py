"""tastemaker reinforce as a person meets it."""

import json
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker.cli import main
from tastemaker.run import reinforce as job
from tests.models.conftest import save_chatty

SMALL = ["--n", "4", "--prompts-per-step", "2", "--steps", "2", "--max-tokens", "6",
         "--lr", "0.001", "--base-n", "4", "--lora", "2", "--restrain.kappa", "2"]  # fmt: skip


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    model = save_chatty(tmp_path / "model")
    prompts, held = tmp_path / "prompts.jsonl", tmp_path / "held.jsonl"
    asked = [{"prompt": f"What is {n} + 1?", "kind": "text"} for n in range(3)]
    prompts.write_text("".join(f"{json.dumps(one)}\n" for one in asked))
    held.write_text(json.dumps({"prompt": "What is 7?", "kind": "text", "gold": "7"}) + "\n")
    named = ["--model", str(model), "--prompts", str(prompts), "--held-out", str(held)]
    return ["reinforce", "restrain", *named, "--out", str(tmp_path / "run"), *SMALL]


def test_a_model_learns_by_one_command(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--json"]) == 0
    out = capsys.readouterr().out
    results = json.loads(out)
    assert results["kept"] == "yes" and results["accuracy"]["before"]["mean"] == 0
    assert results["run"] == str(tmp_path / "run")
    assert main([*words, "--resume"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "learned from 3 prompts by restrain: kept" in shown
    assert "accuracy on held-out prompts" in shown


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--n", "1"], "--n"),
        (["--prompts", ""], "--prompts"),
        (["--prompts", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--restrain.sigma", "1"], "sigma"),
        (["--restrain.kappa", "5"], "kappa"),
        (["--signal", "gold"], "prompt"),
        (["--base-n", "1"], "--base-n"),
    ],
)
def test_what_teaches_nothing_is_refused_by_name(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    named: str,
) -> None:
    options = dict(zip(words[2::2], words[3::2], strict=True)) | {"--n": "16"}
    options |= dict(zip(more[::2], more[1::2], strict=True))
    if named == "kappa":
        options["--n"] = "4"
    flat = [word for pair in options.items() for word in pair]
    assert main(["reinforce", "restrain", *flat, "--json"]) == 2
    fault = json.loads(capsys.readouterr().out)
    assert named in fault["where"] + fault["what"]
    assert not (tmp_path / "run").exists()
