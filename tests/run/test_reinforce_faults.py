"""What ends a reinforcement harms nothing: it goes on to the same weights, or says why not."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker import artifacts, pointers
from tastemaker.errors import ArtefactError, BadInput, NumericFault, OutOfResources
from tastemaker.files import load_tensors
from tastemaker.reinforce import checkpoints, grpo
from tastemaker.run import reinforce as job
from tastemaker.run.folder import only_writer
from tastemaker.run.reinforce import reinforce
from tastemaker.run.reinforce_results import Exercise
from tastemaker.train.stopping import Stopped
from tests.models.conftest import save_chatty
from tests.reinforce.taught import first_letter
from tests.run.test_reinforce import HELD_OUT, PROMPTS, config, no_page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_chatty(tmp_path_factory.mktemp("chatty"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(job, "write_page", no_page)


def adapters(run: Path) -> dict[str, torch.Tensor]:
    artifacts.verify(run, job.KIND)
    return load_tensors(run / "adapter" / "adapter_model.safetensors")


def test_a_full_disk_at_a_checkpoint_leaves_the_last_one_sound(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, whole, run = config(chatty, beta=0.01), tmp_path / "whole", tmp_path / "run"
    reinforce(made, PROMPTS, None, first_letter, str(whole))
    saved = checkpoints.save_tensors

    def full(path: Path, tensors: Any) -> None:
        if "step-2" in path.parent.name and path.name == checkpoints.OPTIMIZER:
            path.write_bytes(b"half")
            raise OutOfResources("The disk is full.", str(path), "Free space.")
        saved(path, tensors)

    monkeypatch.setattr(checkpoints, "save_tensors", full)
    with pytest.raises(OutOfResources):
        reinforce(made, PROMPTS, None, first_letter, str(run))
    assert not (run / "manifest.json").exists()
    newest = pointers.pointed(run / "checkpoints" / "latest")
    assert newest and newest.name == "step-1"
    monkeypatch.setattr(checkpoints, "save_tensors", saved)
    reinforce(made, PROMPTS, None, first_letter, str(run), resume=True)
    assert (run / "metrics.jsonl").read_text().count("\n") == 3
    for name, tensor in adapters(whole).items():
        assert torch.equal(adapters(run)[name], tensor)


def test_a_signal_ends_a_training_in_order(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, watched = tmp_path / "run", job.Journal.watch

    def watch(self: Any, line: Any) -> None:
        watched(self, line)
        if line["step"] == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(job.Journal, "watch", watch)
    made = config(chatty, save_every=100)
    with pytest.raises(Stopped) as stopped:
        reinforce(made, PROMPTS, None, first_letter, str(run))
    assert stopped.value.exit_code == 128 + signal.SIGTERM
    newest = pointers.pointed(run / "checkpoints" / "latest")
    assert newest and newest.name == "step-2"
    monkeypatch.setattr(job.Journal, "watch", watched)
    assert reinforce(made, PROMPTS, None, first_letter, str(run), resume=True)["run"] == str(run)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        checkpoints.MODEL,
        *(pytest.param(one, marks=SLOW) for one in (checkpoints.STATE, checkpoints.RANDOM)),
    ],
)
def test_a_damaged_checkpoint_is_not_gone_on_from(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run = tmp_path / "run"

    def die(*_: object) -> None:
        raise OutOfResources("The disk is full.", "here", "Free space.")

    monkeypatch.setattr(job._Job, "_keep", die)
    with pytest.raises(OutOfResources):
        reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, str(run))
    path = run / "checkpoints" / "step-1" / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtefactError):
        reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, str(run), resume=True)


def test_a_model_without_a_chat_template_reads_prompts_as_they_stand(tmp_path: Path) -> None:
    model = save_chatty(tmp_path / "plain")
    (model / "chat_template.jinja").unlink()
    results = reinforce(config(model, steps=1), PROMPTS, None, first_letter, str(tmp_path / "run"))
    assert not results["model"]["chats"]
    assert "chat template" in results["warnings"][0]


def begin(model: Path, run: Path, *launcher: str, steps: int = 3) -> "subprocess.Popen[str]":
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": ""}
    env |= {"ACCELERATE_USE_CPU": "true"}
    script = [str(ROOT / "tests" / "run" / "reinforce_script.py"), str(model), str(run), str(steps)]
    return subprocess.Popen(
        [sys.executable, *launcher, *script], env=env, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def end(child: "subprocess.Popen[str]") -> None:
    _, said = child.communicate(timeout=300)
    assert child.returncode == 0, said[-3000:]


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_weights(tmp_path: Path, chatty: Path) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    end(begin(chatty, whole, steps=8))
    for step in (1, 3, 5):
        child = begin(chatty, run, steps=8)
        while child.poll() is None and not (run / "checkpoints" / f"step-{step}").exists():
            time.sleep(0.001)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
    end(begin(chatty, run, steps=8))
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [*range(1, 9)]
    for name, tensor in adapters(whole).items():
        assert torch.equal(adapters(run)[name], tensor), name


@pytest.mark.slow
def test_a_group_may_lie_on_two_processes(tmp_path: Path, chatty: Path) -> None:
    """Answers are drawn by each process for itself: what must agree is what is made of them."""
    launch = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29571")
    end(begin(chatty, tmp_path / "run", *launch))
    text = (tmp_path / "run" / "metrics.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    adapters(tmp_path / "run")


def test_after_the_last_step_it_measures_and_writes_and_does_not_train_again(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, whole, run = config(chatty, beta=0.01), tmp_path / "whole", tmp_path / "run"
    reinforce(made, PROMPTS, HELD_OUT, first_letter, str(whole))
    keep = job._Job._keep

    def die(*_: object) -> None:
        raise OutOfResources("The disk is full.", "here", "Free space.")

    monkeypatch.setattr(job._Job, "_keep", die)
    with pytest.raises(OutOfResources):
        reinforce(made, PROMPTS, HELD_OUT, first_letter, str(run))
    monkeypatch.setattr(job._Job, "_keep", keep)
    monkeypatch.setattr(job, "trainer_config", die)  # what a training would begin with
    monkeypatch.setattr(job, "shares_correct", die)  # accuracy is kept as well
    results = reinforce(made, PROMPTS, HELD_OUT, first_letter, str(run), resume=True)
    assert results["accuracy"] == json.loads((whole / "results.json").read_text())["accuracy"]
    if results["kept"] == "yes":
        for name, tensor in adapters(whole).items():
            assert torch.equal(adapters(run)[name], tensor)


def test_one_folder_is_written_by_one(tmp_path: Path, chatty: Path) -> None:
    run = tmp_path / "run"
    with only_writer(run), pytest.raises(BadInput) as fault:
        reinforce(config(chatty), PROMPTS, None, first_letter, str(run))
    assert "Another process" in fault.value.what


@pytest.mark.parametrize(
    "name",
    [
        "results.json",
        *(pytest.param(one, marks=SLOW) for one in ("model/model.safetensors", "metrics.jsonl")),
    ],
)
def test_a_finished_run_that_was_changed_is_not_believed(
    tmp_path: Path, chatty: Path, name: str
) -> None:
    run = tmp_path / "run"
    reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, str(run))
    path = run / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtefactError):
        reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, str(run), resume=True)


def test_a_manifest_that_lists_less_is_not_believed(tmp_path: Path, chatty: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    artifacts.seal(run, job.KIND, {"signal": "restrain"}, ["config.json"])
    (run / "results.json").write_text('{"signal": "made up"}')
    with pytest.raises(ArtefactError) as fault:
        job.finished(run)
    assert "results.json" in str(fault.value)


@pytest.mark.slow
def test_other_prompts_are_another_run(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    reinforce(config(chatty, steps=1), PROMPTS, None, first_letter, str(run))
    others = Exercise(PROMPTS.name, PROMPTS.prompts, "e" * 64)
    with pytest.raises(ArtefactError) as fault:
        reinforce(config(chatty, steps=1), others, None, first_letter, str(run), resume=True)
    assert "prompts.sha256" in fault.value.what


def test_weights_that_are_no_numbers_end_a_run_with_nothing_kept(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, watched = tmp_path / "run", job.Journal.watch
    trainers: list[Any] = []
    inner = grpo.RestrainTrainer.learn

    def learn(self: Any, start: Path | None = None) -> None:
        trainers.append(self)
        inner(self, start)

    def watch(self: Any, line: Any) -> None:
        watched(self, line)
        if line["step"] == 2:
            with torch.no_grad():
                next(trainers[0].model.parameters()).fill_(torch.nan)

    monkeypatch.setattr(grpo.RestrainTrainer, "learn", learn)
    monkeypatch.setattr(job.Journal, "watch", watch)
    with pytest.raises(NumericFault):
        reinforce(config(chatty), PROMPTS, None, first_letter, str(run))
    assert not (run / "manifest.json").exists() and not (run / "model").exists()
    newest = pointers.pointed(run / "checkpoints" / "latest")
    assert newest and newest.name == "step-1"  # the last whose weights are numbers
    tensors = load_tensors(newest / checkpoints.MODEL)
    assert all(tensor.isfinite().all() for tensor in tensors.values())
