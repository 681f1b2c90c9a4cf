"""Stages: each has its parameters, options and loss; together they are one training."""

import json
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tastemaker import artifacts, pointers
from tastemaker.data.batches import Batch, NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.nn.next_item import IdModel
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.nn.view import WHOLE, Pass, View
from tastemaker.report.page import read_metrics
from tastemaker.report.sections import curve
from tastemaker.seams import Stage
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import Fitted, fit
from tastemaker.train.progress import Progress
from tastemaker.train.stages import stages_of
from tastemaker.train.stopping import Stopped
from tests.train.small import QUICK, digest, falling_norm, problem

SHAPE = NextItemConfig(dim=8, layers=1, heads=1, dropout=0.3, history=6, loss="sampled")
CODER = Stage("code", ("items", "positions", "mix"), {"epochs": 3, "lr": 0.01}, "next")
JUDGE = Stage("judge", ("judge",), {"epochs": 2, "warmup": 2}, "judged", "last")
JOINT = Stage("joint", options={"epochs": 2, "lr": 3e-4}, loss="both")


class Judged(IdModel):
    """A toy of the kind: a sequence model, and a judge of its states that is trained later."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        super().__init__(SHAPE, 30)
        self.mix, self.judge = nn.Linear(8, 8), nn.Linear(8, 3)
        self.planned, self.now, self.entered = stages, stages[-1], []

    def stages(self) -> Sequence[Stage]:
        return self.planned

    def enter(self, stage: Stage) -> None:
        self.now = stage
        self.entered.append(stage.name)

    def read(self, batch: Batch, view: View = WHOLE, vectors: Tensor | None = None) -> Pass:
        return Pass(self.mix(self.inputs(batch, vectors).cumsum(1)), None)

    def loss(self, batch: Batch) -> Tensor:
        assert batch.targets is not None
        total = super().loss(batch) if self.now.loss != "judged" else torch.zeros(())
        if self.now.loss == "next":
            return total
        wanted = batch.targets > 0
        said = self.judge(self.states(batch)[wanted])
        judged = nn.functional.cross_entropy(said, batch.targets[wanted] % 3, reduction="sum")
        return total + judged / max(1, batch.target_count)


class Dying(NextItemBatches):
    """Batches that end the work at one of their epochs and steps, as a crash would."""

    death = (-1, -1)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        for at, batch in enumerate(super().epoch(number, skip), start=skip):
            if (number, at) == self.death:
                raise KeyboardInterrupt
            yield batch


ALL = (CODER, JUDGE, JOINT)


def toy(stages: Sequence[Stage] = ALL, death: tuple[int, int] = (-1, -1)) -> tuple[Judged, Dying]:
    rng = np.random.default_rng(0)
    offsets = np.arange(0, 21 * 9, 9, dtype=np.int64)
    contexts = Contexts(np.arange(20), offsets, rng.integers(1, 31, 180).astype(np.int32))
    torch.manual_seed(0)
    batches = Dying(contexts, 6, tokens=24, negatives=5)
    batches.death = death
    return Judged(stages), batches


def measured(model: Judged) -> dict[str, float]:
    """Depends on the weights, and draws: what follows depends on the random state after it."""
    torch.rand(3)
    norms = model.judge.weight.norm() + 30 / (1 + model.items.weight.norm())
    return {"ndcg@10": float(norms.detach()), "hr@10": 0.0}


def trained(
    out: Path | None = None,
    config: FitConfig = QUICK,
    stages: Sequence[Stage] = ALL,
    death: tuple[int, int] = (-1, -1),
) -> tuple[str, Fitted]:
    model, batches = toy(stages, death)
    if out:
        out.mkdir(exist_ok=True)
    fitted = fit(model, batches, config, lambda: measured(model), out, resume=True)
    return digest(model), fitted


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_what_a_stage_does_not_train_stays_bit_for_bit() -> None:
    model, batches = toy()
    seen: list[tuple[str, dict[str, Tensor]]] = []

    def validate() -> dict[str, float]:
        seen.append((model.now.name, {n: t.clone() for n, t in model.state_dict().items()}))
        return measured(model)

    begin = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    decay = replace(QUICK, weight_decay=0.1)  # which must not touch what is frozen either
    fit(model, batches, decay, validate)
    by_stage = dict(seen)  # the last of each
    firsts = dict(reversed(seen))
    moved = {
        stage: {n for n in begin if not torch.equal(before[n], by_stage[stage][n])}
        for stage, before in (
            ("code", begin),
            ("judge", firsts["judge"]),
            ("joint", by_stage["judge"]),
        )
    }
    judge = {"judge.weight", "judge.bias"}
    assert moved["code"] == begin.keys() - judge
    assert moved["judge"] == judge
    assert moved["joint"] == set(begin)
    best = max(range(3), key=lambda at: measured_norm(seen[at][1]))
    for name in begin.keys() - judge:  # a stage begins with what the one before kept
        assert torch.equal(seen[best][1][name], firsts["judge"][name])


def measured_norm(weights: dict[str, Tensor]) -> float:
    return float(weights["judge.weight"].norm() + 30 / (1 + weights["items.weight"].norm()))


def test_a_model_is_left_as_it_was_found_but_for_its_weights() -> None:
    model, batches = toy((CODER, JUDGE))
    model.mix.bias.requires_grad_(False)
    before = model.mix.bias.detach().clone()
    fit(model, batches, QUICK, lambda: measured(model))
    assert torch.equal(model.mix.bias, before)
    assert [n for n, p in model.named_parameters() if not p.requires_grad] == ["mix.bias"]
    assert model.entered == ["code", "judge"]


def test_one_stage_is_the_training_without_any(tmp_path: Path) -> None:
    plain, staged = tmp_path / "plain", tmp_path / "staged"
    plain.mkdir()
    model, batches = problem()
    want = fit(model, batches, QUICK, lambda: falling_norm(model), plain)

    same, again = problem()
    only = Stage("only")
    same.stages = lambda: (only,)  # type: ignore[attr-defined]
    same.enter = lambda stage: None  # type: ignore[attr-defined]
    staged.mkdir()
    assert fit(same, again, QUICK, lambda: falling_norm(same), staged) == want
    assert digest(same) == digest(model)
    assert lines_of(staged) == [{**line, "stage": "only"} for line in lines_of(plain)]
    assert all("stage" not in line for line in lines_of(plain))


def test_the_journal_counts_on_and_names_the_stage_and_the_report_shows_all(tmp_path: Path) -> None:
    every = replace(QUICK, validate_every=2)
    _, fitted = trained(tmp_path, every)
    lines = lines_of(tmp_path)
    where = [(line["epoch"], line["stage"]) for line in lines]
    assert where == [(2, "code"), (3, "code"), (5, "judge"), (7, "joint")]
    steps = len(toy()[1])
    assert [line["step"] for line in lines] == [steps * epoch for epoch, _ in where]
    assert (fitted.steps, fitted.epochs, fitted.best_epoch) == (7 * steps, 7, 7)
    assert fitted.best == lines[-1]["ndcg@10"]
    shown = curve(read_metrics(tmp_path / "metrics.jsonl"), asdict(fitted))
    assert shown["stages"] == "code (epochs 1–3), judge (epochs 4–5), joint (epochs 6–7)"
    assert "epoch 2: " in shown["charts"][0] and "epoch 7: " in shown["charts"][0]


@pytest.mark.parametrize(
    ("death", "every"),
    [((0, 2), 1), ((2, 5), 2), ((3, 0), 1), ((3, 0), 2), ((3, 1), 1), ((4, 5), 2), ((5, 0), 1),
     ((5, 4), 2), ((6, 3), 1)],
    ids=str,
)  # fmt: skip
def test_a_crash_within_or_between_stages_changes_nothing(
    tmp_path: Path, death: tuple[int, int], every: int
) -> None:
    config = replace(QUICK, validate_every=every)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    want = trained(whole, config)
    with pytest.raises(KeyboardInterrupt):
        trained(broken, config, death=death)
    assert trained(broken, config) == want
    assert (broken / "metrics.jsonl").read_text() == (whole / "metrics.jsonl").read_text()


def test_a_signal_in_the_second_stage_saves_and_resumes_there(tmp_path: Path) -> None:
    want = trained(tmp_path / "whole")
    out = tmp_path / "out"
    out.mkdir()
    model, batches = toy()
    loss, calls = model.loss, [0]

    def signalled(batch: Batch) -> Tensor:
        calls[0] += model.now.name == "judge"
        if calls[0] == 1:
            signal.raise_signal(signal.SIGTERM)
        return loss(batch)

    model.loss = signalled  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        fit(model, batches, QUICK, lambda: measured(model), out)
    newest = pointers.pointed(out / "checkpoints" / "latest")
    assert newest is not None
    progress = Progress.read(artifacts.meta_of(newest)["progress"], newest)
    assert (progress.stage, progress.epochs, progress.first_epoch) == (1, 0, 3)
    again, batches = toy()
    fitted = fit(again, batches, QUICK, lambda: measured(again), out, resume=True)
    assert again.entered == ["judge", "joint"]
    assert (digest(again), fitted) == want


def test_patience_and_the_best_weights_are_a_stage_s_own() -> None:
    stages = (replace(CODER, options={"epochs": 9, "patience": 2}), replace(JOINT, options={}))
    values = iter([0.9, 0.8, 0.7, 0.1, 0.3, 0.2, 0.25])
    model, batches = toy(stages)
    kept = []

    def validate() -> dict[str, float]:
        kept.append(digest(model))
        return {"ndcg@10": next(values)}

    fitted = fit(model, batches, replace(QUICK, epochs=4), validate)
    assert (fitted.epochs, fitted.best_epoch, fitted.best) == (7, 5, 0.3)
    assert digest(model) == kept[4]


def test_a_stage_that_keeps_its_last_weights_says_so_in_the_end() -> None:
    model, batches = toy((CODER, JUDGE))
    values = iter([0.1, 0.2, 0.3, 0.9, 0.5])
    kept = []

    def validate() -> dict[str, float]:
        kept.append(digest(model))
        return {"ndcg@10": next(values)}

    fitted = fit(model, batches, QUICK, validate)
    assert (fitted.best, fitted.best_epoch) == (0.5, 5)
    assert digest(model) == kept[-1] != kept[-2]


def test_the_last_stage_alone_may_be_trained_longer(tmp_path: Path) -> None:
    longer = (CODER, JUDGE, replace(JOINT, options={"epochs": 4, "lr": 3e-4}))
    trained(tmp_path)
    assert trained(tmp_path, stages=longer) == trained(stages=longer)
    for changed in (
        (replace(CODER, options={"epochs": 4, "lr": 0.01}), JUDGE, longer[2]),
        (CODER, replace(JUDGE, loss="other"), longer[2]),
        (CODER, JUDGE, replace(longer[2], options={"epochs": 4, "lr": 1e-3})),
        (CODER, longer[2]),
    ):
        with pytest.raises(ArtefactError, match=r"stages.* differs"):
            trained(tmp_path, stages=changed)


def test_all_stages_train_in_low_precision_too(tmp_path: Path) -> None:
    low = replace(QUICK, precision="bf16")
    want = trained(config=low)
    assert trained(config=low) == want != trained()
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, low, death=(5, 1))
    assert trained(tmp_path, low) == want, "though another process trained the last stage"
    (model, batches), (fresh, _) = toy(), toy()
    fit(model, batches, low, lambda: measured(model))
    fresh.load_state_dict(model.state_dict())
    batch = next(iter(batches.epoch(0)))
    assert torch.equal(model.eval()(batch), fresh.eval()(batch)), "and computes in full afterwards"


@pytest.mark.parametrize(
    ("stages", "cause"),
    [
        ((), "at least one"),
        ((Stage("a"), Stage("a")), "apart"),
        ((Stage("a"), Stage()), "names"),
        ((Stage("a", options={"seed": 3}),), "seed"),
        ((Stage("a", options={"batch": 3}),), "batch"),
        ((Stage("a", ("judg",)),), "judg"),
    ],
)
def test_stages_that_are_none(stages: tuple[Stage, ...], cause: str) -> None:
    model, _ = toy()
    model.planned = stages
    with pytest.raises(ValueError, match=cause):
        stages_of(model, QUICK)


def test_an_option_of_a_stage_that_cannot_train_is_refused() -> None:
    model, _ = toy((Stage("a", options={"lr": -1.0}),))
    with pytest.raises(BadInput, match="lr"):
        stages_of(model, QUICK)
