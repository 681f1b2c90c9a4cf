"""tastemaker reinforce vtool and tastemaker ask as a person meets them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tastemaker.cli import main
from tastemaker.commands import vtool
from tastemaker.commands.vtool_options import VToolOptions
from tests.reinforce.bench import PICTURE
from tests.run import visual

WORDS = ["reinforce", "vtool", "--tiny", "--steps", "1", "--n", "2", "--prompts-per-step", "1",
         "--questions", "2", "--held-out", "1", "--max-tokens", "4"]  # fmt: skip


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_a_newcomer_trains_and_asks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = vtool.config_of

    def small(options: VToolOptions) -> Any:
        made = whole(options)
        return replace(made, tiny=visual.SHAPE, warm=replace(made.warm, steps=1, rows=2))

    monkeypatch.setattr(vtool, "config_of", small)
    assert main([*WORDS, "--out", "run", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["run"] == "run" and results["vtool"]["learning"]["lr"] == 1e-4
    picture = f"run/examples/{results['examples'][0]['picture']}"
    asked = ["ask", picture, "Which is it?", "--model", "run", "--max-tokens", "3"]
    assert main([*asked, "--out", "page.html"]) == 0
    assert "page.html" in capsys.readouterr().out and (tmp_path / "page.html").is_file()
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["page"] == "ask.html" and told["outcome"] == "direct"
    assert (tmp_path / "ask.html").is_file()


def test_a_model_of_ones_own_learns_as_it_is_told() -> None:
    made = vtool.config_of(
        VToolOptions(model="m", data="q.jsonl", train_tool_turn=False, sandbox="grammar", lora=4)
    )
    assert (made.model, made.lora, made.questions.data) == ("m", 4, "q.jsonl")
    assert not made.vtool.train_tool_turn and made.vtool.sandbox == "grammar"
    assert made.vtool.learning.lr == 1e-6 and made.vtool.learning.max_tokens == 512
    tiny = vtool.config_of(VToolOptions(tiny=True))
    assert tiny.lora == 0 and tiny.vtool.learning.max_tokens == 96
    assert tiny.questions.kinds == ("v_bar",)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["ask", "a.png", "Q?"], "--model"),
        (["ask", "b.png", "Q?", "--model", "m"], "b.png"),
        (["ask", "a.png", "Q?", "--model", "nowhere"], "nowhere"),
        (["ask", "a.png", "Q?", "--model", "m", "--tools", "--boxes", "no.json"], "no.json"),
        (["reinforce", "vtool"], "--model"),
        (["reinforce", "vtool", "--model", "nowhere"], "nowhere"),
        ([*WORDS, "--n", "1"], "--n"),
    ],
)
def test_bad_input_is_refused_by_name(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    PICTURE.save("a.png")
    assert main([*words, "--json"]) == 2
    fault = json.loads(capsys.readouterr().out)
    assert named in fault["where"] + fault["what"]
