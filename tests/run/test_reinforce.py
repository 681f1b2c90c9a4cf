"""A reinforcement leaves a run directory that says it all, goes on, and keeps nothing worse."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker import artifacts, records
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import load_tensors
from tastemaker.models.extras import quiet
from tastemaker.models.library import writing_model
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.prompts import Prompt, asked
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import SignalConfig
from tastemaker.run import reinforce as job
from tastemaker.run.reinforce import reinforce
from tastemaker.run.reinforce_results import Exercise, ReinforceConfig
from tests.models.conftest import save_chatty
from tests.reinforce.taught import SMALL, first_letter


def exercise(name: str, golds: dict[str, str | None]) -> Exercise:
    prompts = [Prompt(text, asked(text), gold, "text") for text, gold in golds.items()]
    return Exercise(name, prompts, "a" * 64)


PROMPTS = exercise("prompts.jsonl", {"the boat": "0", "one": None, "red": "1", "what?": "0"})
HELD_OUT = exercise("held.jsonl", {"other": "0", "more": "1"})


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_chatty(tmp_path_factory.mktemp("chatty"))


PAGE = job.write_page


def no_page(run: Path) -> None:
    (run / "report.html").write_text("")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(job, "write_page", no_page)  # drawing takes longer than the training


def config(
    model: Path, signal: str = "restrain", lora: int = 2, **learning: Any
) -> ReinforceConfig:
    return ReinforceConfig(
        str(model),
        signal,
        lora,
        LearningConfig(**SMALL | {"save_every": 1} | learning),
        SignalConfig(restrain=RestrainConfig(kappa=2)),
        base_n=4,
        held_out_n=2,
    )


@pytest.mark.parametrize("lora", [0, 2])
def test_a_run_says_what_was_learned_and_opens_as_a_model(
    tmp_path: Path, chatty: Path, lora: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    if lora:
        monkeypatch.setattr(job, "write_page", PAGE)
    results = reinforce(config(chatty, lora=lora, beta=0.01), PROMPTS, None, first_letter, str(run))
    assert results["kept"] == "unchecked" and results["accuracy"] is None
    assert results["prompts"]["count"] == 4 and 0 < results["base_votes"]["weights"]["mean"] <= 1
    artifacts.verify(run, job.KIND)
    assert json.loads((run / "results.json").read_text())["signal"] == "restrain"
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert {"majority", "penalised", "entropy", "length", "kl"} <= lines[0].keys()
    page = (run / "report.html").read_text()
    assert not lora or ("Reinforcement" in page and "<svg" in page and "unchecked" in page)
    opened: Any = writing_model(run / "model").model
    before: Any = writing_model(chatty).model
    differ = [n for n, t in before.state_dict().items() if not t.equal(opened.state_dict()[n])]
    assert differ
    assert (run / "adapter" / "adapter_model.safetensors").exists() == (lora > 0)
    again = reinforce(
        config(chatty, lora=lora, beta=0.01), PROMPTS, None, first_letter, str(run), True
    )
    assert again["seconds"] == results["seconds"]


def test_what_peft_reads_is_what_was_learned(tmp_path: Path, chatty: Path) -> None:
    import torch
    from peft import PeftModel

    run = tmp_path / "run"
    reinforce(config(chatty), PROMPTS, None, first_letter, str(run))
    tokens = torch.tensor([[4, 5, 6, 7]])
    merged: Any = writing_model(run / "model").model
    with quiet():
        beside: Any = PeftModel.from_pretrained(writing_model(chatty).model, run / "adapter")
    with torch.no_grad():
        one, other = merged(input_ids=tokens).logits, beside.eval()(input_ids=tokens).logits
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("after", "kept"), [([0.5, 1.0], "yes"), ([0, 0.5], "no")])
def test_a_model_that_got_worse_is_not_kept(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch, after: list[float], kept: str
) -> None:
    told = iter([[0.5, 0.5], after])
    monkeypatch.setattr(job, "shares_correct", lambda *_: next(told))
    run = tmp_path / "run"
    results = reinforce(config(chatty, steps=1), PROMPTS, HELD_OUT, first_letter, str(run))
    assert results["kept"] == kept
    assert (run / "model").exists() == (run / "adapter").exists() == (kept == "yes")
    assert results["accuracy"]["change"]["mean"] == pytest.approx(sum(after) / 2 - 0.5)


def test_votes_of_the_untrained_model_are_asked_for_once(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, str(tmp_path / "a"))
    monkeypatch.setattr("tastemaker.reinforce.untrained_votes._commonest", None)
    again = reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, str(tmp_path / "b"))
    assert again["base_votes"] == first["base_votes"]


@pytest.mark.parametrize(
    "signal", ["gold", "srt-majority", pytest.param("srt-easy", marks=pytest.mark.slow)]
)
def test_every_signal_gets_what_it_reads(tmp_path: Path, chatty: Path, signal: str) -> None:
    prompts = exercise("p", {"the boat": "0", "one": "1", "red": "1"})
    made = config(chatty, signal, steps=1)
    results = reinforce(made, prompts, None, first_letter, str(tmp_path / "run"))
    assert (results["base_votes"] is None) == (signal == "gold")


def test_a_run_goes_on_only_as_itself(tmp_path: Path, chatty: Path) -> None:
    run = str(tmp_path / "run")
    with pytest.raises(BadInput):
        reinforce(config(chatty), PROMPTS, None, first_letter, run, resume=True)
    reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, run)
    with pytest.raises(BadInput):
        reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, run)
    with pytest.raises(ArtefactError) as fault:
        reinforce(config(chatty, steps=1, lr=0.5), PROMPTS, None, first_letter, run, resume=True)
    assert "learning.lr" in fault.value.what


def test_looking_at_held_out_prompts_changes_nothing_that_is_learned(
    tmp_path: Path, chatty: Path
) -> None:
    learned = []
    for every in (0, 2):
        run = tmp_path / str(every)
        made = replace(config(chatty), check_every=every)
        reinforce(made, PROMPTS, HELD_OUT, first_letter, str(run))
        lines = records.read(run / "metrics.jsonl")
        assert [line["step"] for line in lines if "held_out" in line] == [2] * (every > 0)
        kept = run / "checkpoints" / "step-3" / "model.safetensors"
        learned.append(load_tensors(kept))
    assert all(tensor.equal(learned[1][name]) for name, tensor in learned[0].items())


def test_right_answers_change_nothing_that_a_signal_without_labels_learns(
    tmp_path: Path, chatty: Path
) -> None:
    learned = []
    for name, gold in (("a", "0"), ("b", "poison")):
        prompts = exercise("p", dict.fromkeys(["the boat", "one", "red"], gold))
        reinforce(config(chatty, steps=2), prompts, None, first_letter, str(tmp_path / name))
        learned.append(load_tensors(tmp_path / name / "adapter" / "adapter_model.safetensors"))
    assert all(tensor.equal(learned[1][name]) for name, tensor in learned[0].items())


@pytest.mark.slow
@pytest.mark.parametrize("signal", ["ttrl", "empo", "random", "self-certainty"])
def test_signals_that_ask_nothing_before_train_as_well(
    tmp_path: Path, chatty: Path, signal: str
) -> None:
    results = reinforce(
        config(chatty, signal, steps=1), PROMPTS, None, first_letter, str(tmp_path / "run")
    )
    assert results["base_votes"] is None and results["signal"] == signal
    assert not list((tmp_path / "cache").glob("base-votes/*"))


def test_without_a_name_the_folder_has_one_of_its_own(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results = reinforce(config(chatty, "ttrl", steps=1), PROMPTS, None, first_letter)
    assert results["run"] == f"runs/reinforce-ttrl-{chatty.name}"
    assert (tmp_path / results["run"] / "manifest.json").is_file()
