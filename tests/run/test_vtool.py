"""A training of visual tool use leaves a run that says it all, goes on, and keeps nothing worse."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tastemaker import artifacts
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models.vlm import open_vision_model
from tastemaker.run import vtool as job
from tastemaker.run.vtool import reinforce_vtool
from tastemaker.run.vtool_folder import KIND, learned_model
from tests.reinforce.tool_models import save_tool_model
from tests.run.visual import LEARNING, config


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))


def test_a_fresh_model_is_taught_and_its_run_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    results = reinforce_vtool(config(), str(run))
    assert results["data"] == {"name": "charts", "train": 3, "held_out": 2, "boxed": 5}
    assert results["after"]["questions"] == 2 and len(results["examples"]) == 2
    assert results["model"]["tiny"] and "tiny" in " ".join(results["warnings"])
    artifacts.verify(run, KIND)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert {"reward", "used", "failed", "rolled_back", "length"} <= lines[0].keys()
    assert "When it looked closer" in (run / "report.html").read_text()
    assert open_vision_model(learned_model(run)).most_tokens == 2048
    assert reinforce_vtool(config(), str(run), True)["seconds"] == results["seconds"]
    with pytest.raises(BadInput, match="holds something"):
        reinforce_vtool(config(), str(run))
    with pytest.raises(ArtefactError):
        reinforce_vtool(config(lora=2), str(run), True)


def test_questions_that_are_none_leave_no_folder(tmp_path: Path) -> None:
    questions = replace(config().questions, data=str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(BadInput, match="no such questions"):
        reinforce_vtool(config(questions=questions), str(tmp_path / "run"))
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_model_of_ones_own_learns_by_adapters_from_ones_own_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    from tests.reinforce.bench import PICTURE
    from tests.reinforce.tool_models import KNOWN

    lines = []
    for number in range(3):
        PICTURE.save(tmp_path / f"{number}.png")
        lines.append({"image": f"{number}.png", "question": "How many?", "answer": "12",
                      "kind": "table", "boxes": KNOWN["boxes"]})  # fmt: skip
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, lines)))
    model = save_tool_model(tmp_path / "model")
    questions = replace(config().questions, data=str(tmp_path / "q.jsonl"), train=2, held_out=1)
    made = config(model=str(model), lora=2, questions=questions)
    results = reinforce_vtool(made, str(tmp_path / "run"))
    assert results["data"]["boxed"] == 3 and not results["model"]["tiny"]
    assert results["after"]["by_kind"].keys() == {"table"}
    before, after = (open_vision_model(one) for one in (model, tmp_path / "run" / "model"))
    names = dict(after.model.named_parameters()).keys()
    assert names == dict(before.model.named_parameters()).keys(), "adapters are worked in"


def scripted(monkeypatch: pytest.MonkeyPatch, *rights: list[float]) -> None:
    """Accuracy before and after, without asking."""
    told = iter(rights)
    part = {"questions": 2, "accuracy": 0.5, "accuracy_pix2struct": 0.5, "tool_rate": 0.0,
            "answered": 1.0, "by_outcome": {}, "by_kind": {}}  # fmt: skip
    monkeypatch.setattr(job._Job, "_asked", lambda *_: (part, next(told), []))


def test_a_model_that_got_worse_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    monkeypatch.setattr(job, "teach", lambda *_: None)
    scripted(monkeypatch, [1.0, 1.0], [0.0, 1.0])
    model = save_tool_model(tmp_path / "model")
    run = tmp_path / "run"
    results = reinforce_vtool(config(model=str(model)), str(run))
    assert results["kept"] == "no" and not (run / "model").exists()
    with pytest.raises(ArtefactError, match="not kept"):
        learned_model(run)
    scripted(monkeypatch, [1.0, 1.0], [0.0, 1.0])
    tiny = reinforce_vtool(config(), str(tmp_path / "tiny"))
    assert tiny["kept"] == "no", "what stands there is the model of before"
    start, model = tmp_path / "tiny" / "start", tmp_path / "tiny" / "model"
    weights = "model.safetensors"
    assert (start / weights).read_bytes() == (model / weights).read_bytes()


def test_what_cannot_be_taught_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with pytest.raises(BadInput, match="no model"):
        reinforce_vtool(config(model="nowhere"), str(run))
    fresh = config()
    with pytest.raises(BadInput, match="not split"):
        reinforce_vtool(replace(fresh, tiny=replace(fresh.tiny, dim=7)), str(run))
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(BadInput, match="FSDP"):
        reinforce_vtool(config(), str(run))
    assert not run.exists()


def test_an_unfinished_run_is_said_to_be_one(tmp_path: Path, monkeypatch: Any) -> None:
    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "teach", stops)
    with pytest.raises(KeyboardInterrupt):
        reinforce_vtool(config(), str(tmp_path / "run"))
    with pytest.raises(ArtefactError, match="not ended"):
        learned_model(tmp_path / "run")
    assert (tmp_path / "run" / "before.json").is_file() and LEARNING.steps == 2
