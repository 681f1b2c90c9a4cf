"""fit(): the same seed gives the same bytes, a killed run the same weights, and faults stop."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest
import torch

from tastemaker import artifacts, files, pointers
from tastemaker.data.batches import Batch, NextItemBatches
from tastemaker.errors import ArtefactError, BadInput, NumericFault, OutOfResources
from tastemaker.recommend.sasrec import SASRec
from tastemaker.train.checkpoints import KIND, MODEL, OPTIMIZER, RANDOM
from tastemaker.train.journal import Journal
from tastemaker.train.loop import fit
from tastemaker.train.progress import Progress
from tastemaker.train.stopping import Stopped
from tests.train.small import QUICK, SHAPE, digest, falling_norm, problem, train


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    runs = []
    for name in "abc":
        folder = tmp_path / name
        folder.mkdir()
        runs.append((train(folder), (folder / "metrics.jsonl").read_text()))
    assert runs[0] == runs[1] == runs[2]
    assert train(config=replace(QUICK, seed=1))[0] != runs[0][0][0]


def test_writing_checkpoints_changes_nothing(tmp_path: Path) -> None:
    assert train(tmp_path) == train()


class Dies(NextItemBatches):
    """Batches that end the process's work at a given step, as a crash between steps would."""

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        for at, batch in enumerate(super().epoch(number, skip), start=skip):
            if (number, at) == DEATH:
                raise KeyboardInterrupt
            yield batch


DEATH = (-1, -1)


@pytest.mark.parametrize("death", [(0, 1), (0, 4), (1, 0), (2, 3), (3, 6)])
def test_a_crashed_run_resumes_to_the_same_weights_and_metrics(
    tmp_path: Path, death: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    want = train(whole)
    broken = tmp_path / "broken"
    broken.mkdir()
    model, batches = problem()
    monkeypatch.setitem(globals(), "DEATH", death)
    dying = Dies(batches.contexts, 6, tokens=24, negatives=5)
    with pytest.raises(KeyboardInterrupt):
        fit(model, dying, QUICK, lambda: falling_norm(model), broken)
    assert train(broken, resume=True) == want
    assert (broken / "metrics.jsonl").read_text() == (whole / "metrics.jsonl").read_text()


def test_cpu_seconds_are_counted_over_all_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, batches = problem()
    monkeypatch.setitem(globals(), "DEATH", (2, 3))
    dying = Dies(batches.contexts, 6, tokens=24, negatives=5)
    with pytest.raises(KeyboardInterrupt):
        fit(model, dying, QUICK, lambda: falling_norm(model), tmp_path)
    newest = pointers.pointed(tmp_path / "checkpoints" / "latest")
    assert newest is not None
    before = artifacts.meta_of(newest)["progress"]["cpu_seconds"]
    assert before > 0
    with monkeypatch.context() as patch:
        patch.setattr("time.process_time", lambda: 5.0)  # this start takes none
        fitted = fit(model, batches, QUICK, lambda: falling_norm(model), tmp_path, resume=True)
    assert fitted.cpu_seconds == pytest.approx(before)


def test_a_crash_between_a_validation_and_its_checkpoint_writes_no_line_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = replace(QUICK, checkpoint_every=1)  # the step has a checkpoint from before as well
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    want = train(whole, config=every)

    def die(journal: Journal, line: dict[str, float]) -> None:
        written(journal, line)
        if line["epoch"] == 3:
            raise KeyboardInterrupt

    written = Journal.validated
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "validated", die)
        with pytest.raises(KeyboardInterrupt):
            train(broken, config=every)
    assert train(broken, resume=True, config=every) == want
    assert (broken / "metrics.jsonl").read_text() == (whole / "metrics.jsonl").read_text()


def test_a_model_trained_in_low_precision_computes_in_full_afterwards() -> None:
    (model, batches), (fresh, _) = problem(), problem(1)
    batch = next(iter(batches.epoch(0)))
    fit(model, batches, replace(QUICK, precision="bf16"), lambda: falling_norm(model))
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(model.eval()(batch), fresh.eval()(batch))


def test_the_loss_of_a_line_is_the_mean_over_the_targets_since_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[float, int]] = []

    def step(journal: Journal, epoch: int, number: int, loss: float, targets: int) -> None:
        steps.append((loss, targets))

    monkeypatch.setattr(Journal, "step", step)
    train(tmp_path, config=replace(QUICK, validate_every=2))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [len(steps) // 2, len(steps)]
    half = lines[0]["step"]
    for part, line in zip((steps[:half], steps[half:]), lines, strict=True):
        mean = sum(loss * targets for loss, targets in part) / sum(targets for _, targets in part)
        assert line["loss"] == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize(
    ("values", "converged"),
    [
        ([0.1] * 5, False),
        ([0.1] * 6, True),
        ([0.1] * 5 + [0.1009], True),
        ([0.1] * 5 + [0.1011], False),
        ([0.5, 0.1, 0.2, 0.3, 0.4, 0.45], True),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], False),
    ],
)
def test_a_training_has_converged_once_five_validations_gain_less_than_a_hundredth(
    values: list[float], converged: bool
) -> None:
    (model, batches), coming = problem(), iter(values)
    config = replace(QUICK, epochs=len(values), patience=0)
    fitted = fit(model, batches, config, lambda: {"ndcg@10": next(coming)})
    assert fitted.converged is converged
    assert (fitted.best, fitted.epochs) == (max(values), len(values))


def test_a_tracker_is_told_what_every_validation_gave(tmp_path: Path) -> None:
    reading = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs tastemaker[track]"
    )
    train(tmp_path, config=replace(QUICK, track="tensorboard"))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    (events,) = tmp_path.rglob("events.out.tfevents*")
    told = reading.EventAccumulator(str(events)).Reload().Scalars("ndcg@10")
    assert [(one.step, pytest.approx(one.value)) for one in told] == [
        (line["step"], line["ndcg@10"]) for line in lines
    ]


@pytest.mark.parametrize("file", ["model", "best", "optimizer", "random", "manifest"])
def test_no_part_of_a_checkpoint_can_be_missing_or_changed(tmp_path: Path, file: str) -> None:
    train(tmp_path)
    newest = pointers.pointed(tmp_path / "checkpoints" / "latest")
    assert newest is not None
    path = newest / (f"{file}.safetensors" if file != "manifest" else "manifest.json")
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(ArtefactError):
        train(tmp_path, resume=True)
    path.unlink()
    with pytest.raises(ArtefactError):
        train(tmp_path, resume=True)


@pytest.mark.parametrize("part", ["", MODEL, OPTIMIZER, RANDOM, "progress"])
def test_every_part_of_the_state_matters(
    tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that held another part would resume to other weights."""
    want = train()
    model, batches = problem()
    monkeypatch.setitem(globals(), "DEATH", (2, 1))
    dying = Dies(batches.contexts, 6, tokens=24, negatives=5)
    with pytest.raises(KeyboardInterrupt):
        fit(model, dying, QUICK, lambda: falling_norm(model), tmp_path)
    pointer = tmp_path / "checkpoints" / "latest"
    newest = pointers.pointed(pointer)
    assert newest is not None
    meta = artifacts.meta_of(newest)
    if part == "progress":
        meta["progress"] = asdict(Progress())
    with artifacts.staged(newest.with_name("step-999"), KIND, meta) as folder:
        for file in newest.glob("*.safetensors"):
            tensors = files.load_tensors(file)
            if file.name == RANDOM == part:
                tensors = {"state": torch.Generator().manual_seed(9).get_state()[None]}
            elif file.name == part:
                tensors = {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}
            files.save_tensors(folder / file.name, tensors)
    pointers.point(pointer, "step-999")
    assert (train(tmp_path, resume=True)[0] == want[0]) == (not part)


def test_resuming_with_other_options_is_refused_and_names_the_field(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(ArtefactError, match="lr differs"):
        train(tmp_path, resume=True, config=replace(QUICK, lr=0.5))
    model = SASRec(replace(SHAPE, dim=16), 30)
    with pytest.raises(ArtefactError, match="does not fit"):
        fit(model, problem()[1], QUICK, lambda: falling_norm(model), tmp_path, resume=True)


def test_a_finished_run_can_train_longer(tmp_path: Path) -> None:
    train(tmp_path)
    longer = replace(QUICK, epochs=6)
    assert train(tmp_path, resume=True, config=longer) == train(config=longer)


def test_one_process_may_train_in_one_precision_after_another() -> None:
    plain = train()
    rounded = train(config=replace(QUICK, precision="bf16"))
    assert plain[0] != rounded[0]
    assert train()[0] == plain[0]


def test_resuming_nothing_starts_anew(tmp_path: Path) -> None:
    assert train(tmp_path, resume=True) == train()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_and_names_step_and_rows(
    tmp_path: Path, value: float
) -> None:
    model, batches = problem()
    calls, plain = [0], model.loss

    def loss(batch: Batch) -> torch.Tensor:
        calls[0] += 1
        return plain(batch) * (value if calls[0] == 5 else 1.0)

    model.loss = loss  # type: ignore[method-assign]
    with pytest.raises(NumericFault) as caught:
        fit(model, batches, QUICK, lambda: falling_norm(model), tmp_path)
    assert calls[0] == 5
    assert caught.value.exit_code == 4
    assert "step 5" in caught.value.where
    assert "training rows [" in caught.value.where
    newest = pointers.pointed(tmp_path / "checkpoints" / "latest")
    assert newest is not None
    assert newest.name == "step-3"
    weights = files.load_tensors(newest / "model.safetensors")
    assert all(torch.isfinite(w).all() for w in weights.values())


def test_a_model_looks_at_its_data_once_not_when_a_run_goes_on(tmp_path: Path) -> None:
    started = []
    for epochs in (1, 2):
        model, batches = problem()
        model.start = lambda: started.append(1)  # type: ignore[method-assign, assignment]
        fit(model, batches, replace(QUICK, epochs=epochs), lambda: {"ndcg@10": 0.1}, tmp_path, True)
        assert len(started) == 1


def test_early_stopping_keeps_the_best_weights() -> None:
    model, batches = problem()
    values = iter([0.1, 0.3, 0.2, 0.25, 0.29, 0.9])
    kept: list[str] = []

    def validate() -> dict[str, float]:
        kept.append(digest(model))
        return {"ndcg@10": next(values)}

    fitted = fit(model, batches, replace(QUICK, epochs=20, patience=3), validate)
    assert (fitted.epochs, fitted.best_epoch, fitted.best) == (5, 2, 0.3)
    assert fitted.converged
    assert digest(model) == kept[1]


@pytest.mark.parametrize(("every", "validated"), [(1, [1, 2, 3, 4]), (3, [3, 4]), (9, [4])])
def test_the_last_epoch_is_always_validated(
    tmp_path: Path, every: int, validated: list[int]
) -> None:
    want = train()  # every epoch is better than the one before
    assert train(tmp_path, config=replace(QUICK, validate_every=every)) == want
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == validated


def test_training_on_is_as_if_the_last_validation_off_the_beat_had_not_been(tmp_path: Path) -> None:
    whole, twice = tmp_path / "whole", tmp_path / "twice"
    texts = []
    for folder, epochs in ((whole, (7,)), (twice, (4, 4, 7))):
        folder.mkdir()
        for number in epochs:
            config = replace(QUICK, validate_every=3, epochs=number)
            fitted = train(folder, resume=True, config=config)
        texts.append((fitted, (folder / "metrics.jsonl").read_text()))
    assert texts[0] == texts[1]


def test_a_metric_that_is_not_measured_or_not_finite_ends_the_training() -> None:
    model, batches = problem()
    with pytest.raises(BadInput, match="no metric 'auc'") as caught:
        fit(model, batches, replace(QUICK, metric="auc"), lambda: falling_norm(model))
    assert "ndcg@10" in caught.value.fix
    with pytest.raises(NumericFault, match="ndcg@10 is nan"):
        fit(model, batches, QUICK, lambda: {"ndcg@10": float("nan")})


def test_a_run_that_still_rises_is_not_converged() -> None:
    model, batches = problem()
    values = iter(range(1, 100))
    fitted = fit(model, batches, replace(QUICK, epochs=8), lambda: {"ndcg@10": float(next(values))})
    assert not fitted.converged


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("place", ["step", "validation", "last validation", "off the beat"])
def test_a_signal_saves_and_leaves(tmp_path: Path, place: str, number: signal.Signals) -> None:
    """Wherever it comes, nothing is lost: what goes on ends as an undisturbed training."""
    config = replace(QUICK, validate_every=3) if place == "off the beat" else QUICK
    model, batches = problem()
    plain, calls = model.loss, {"step": 0, "validation": 0}

    def loss(batch: Batch) -> torch.Tensor:
        calls["step"] += 1
        if place == "step" and calls["step"] == 5:
            signal.raise_signal(number)
        return plain(batch)

    def validate() -> dict[str, float]:
        calls["validation"] += 1
        torch.rand(3)  # a validation may draw
        last = {"validation": 1, "last validation": 4, "off the beat": 2}
        if calls["validation"] == last.get(place):
            signal.raise_signal(number)
            raise AssertionError("a validation is left at once")
        return falling_norm(model)

    model.loss = loss  # type: ignore[method-assign]
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(Stopped) as caught:
        fit(model, batches, config, validate, tmp_path)
    assert caught.value.exit_code == 128 + number
    assert caught.value.out == str(tmp_path)
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == before
    newest = pointers.pointed(tmp_path / "checkpoints" / "latest")
    assert newest is not None
    if place == "step":
        assert newest.name == "step-5"

    def drawing(model: SASRec) -> dict[str, float]:
        torch.rand(3)
        return falling_norm(model)

    fitted = []
    for folder in (tmp_path, None):
        model, batches = problem()
        done = fit(model, batches, config, partial(drawing, model), folder, resume=True)
        fitted.append((digest(model), done))
    assert fitted[0] == fitted[1]


def test_a_full_disk_ends_the_run_but_not_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = files.save_tensors, [0]

    def full(path: Path, tensors: dict[str, torch.Tensor]) -> None:
        calls[0] += 1
        if calls[0] > 6:
            raise OutOfResources("The disk is full.", str(path), "Free some.")
        plain(path, tensors)

    monkeypatch.setattr(files, "save_tensors", full)
    with pytest.raises(OutOfResources):
        train(tmp_path)
    monkeypatch.setattr(files, "save_tensors", plain)
    assert not list((tmp_path / "checkpoints").glob(".partial*"))
    assert train(tmp_path, resume=True) == train()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a file system of 56 kB: exit 5, the path and bytes named, the last checkpoint sound."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=56k", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        run = small / "run"
        run.mkdir()
        with pytest.raises(OutOfResources) as caught:
            train(run)
        assert caught.value.exit_code == 5
        assert re.search(r"write [\d,]+ bytes", caught.value.what)
        assert str(run) in caught.value.where
        newest = pointers.pointed(run / "checkpoints" / "latest")
        assert newest is not None
        assert artifacts.verify(newest, "checkpoint")["progress"]["step"] == 3
        assert not list(newest.parent.glob(".partial*"))
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_one_thread_or_two_agree_in_metrics() -> None:
    values = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model, batches = problem()
        fitted = fit(model, batches, QUICK, lambda m=model: falling_norm(m))  # type: ignore[misc]
        values.append(fitted.best)
    torch.set_num_threads(1)
    assert values[0] == pytest.approx(values[1], abs=1e-4)


@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.slow)])
def test_memory_does_not_grow_over_forty_epochs(precision: str) -> None:
    """Varying shapes let caches of compiled primitives grow; a few fixed widths do not."""
    script = f"""
import numpy as np, psutil, torch
torch.set_num_threads(1)
from tastemaker.data.batches import NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
rng = np.random.default_rng(0)
lengths = rng.integers(2, 90, 150)
offsets = np.concatenate([[0], np.cumsum(lengths)])
rows = Contexts(np.arange(150), offsets, rng.integers(1, 401, offsets[-1]).astype(np.int32))
model = SASRec(SASRecConfig(dim=32, history=40, loss="softmax"), 400)
batches, resident = NextItemBatches(rows, history=40, tokens=640), []
def validate():
    resident.append(psutil.Process().memory_info().rss)
    return {{"ndcg@10": 0.0}}
fit(model, batches, FitConfig(epochs=40, patience=0, precision="{precision}"), validate)
print(resident[39] / resident[4])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) <= 1.05
