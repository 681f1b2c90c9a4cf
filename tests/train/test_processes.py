"""Two processes on one machine train as one does (DESIGN §3), by DDP over gloo and by FSDP."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType

from tastemaker import artifacts, files, pointers
from tastemaker.data.batches import NextItemBatches
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.train.checkpoints import load_weights
from tastemaker.train.processes import shards
from tests.contracts import ITEMS, some_contexts

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, os, sys
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
from tastemaker.config import seed_everything
import polars as pl
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.seams import Stage
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.backbones import build
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

rng = np.random.default_rng(0)
lengths = rng.integers(2, 13, 60)
offsets = np.concatenate([[0], np.cumsum(lengths)])
times = np.sort(rng.integers(0, 10**7, offsets[-1]))
items = rng.integers(1, 41, offsets[-1]).astype(np.int32)
rows = Contexts(np.arange(60), offsets, items, times)
shapes = {
    "sasrec": SASRecConfig(dim=16, dropout=0.0, history=8, loss="sampled", negatives=9),
    "esasrec": ESASRecConfig(dim=16, dropout=0.0, history=8, loss="softmax"),
    "hstu": HSTUConfig(dim=16, dropout=0.0, history=8, loss="softmax", head_dim=8),
    "mtmh": MTMHConfig(dim=16, width=16),
    # Of γ, entropies that rise are judged by each process for its rows.
    "vrec": VRecConfig(dim=16, layers=1, dropout=0.0, history=8, levels=2, size=4, classes=3,
                       thoughts=2, gamma=0.0, verify_epochs=1, joint_epochs=1),
}
shapes["staged"] = shapes["sasrec"]
seed_everything(0)
titles = pl.Series([f"thing{n % 7} of kind{n % 3}" for n in range(40)])
catalog = Catalog(pl.DataFrame(schema=SCHEMA).clear(40).with_columns(title=titles))
model = build(shapes[sys.argv[1]], Ground(40, catalog, rows))
if sys.argv[1] == "staged":
    table = Stage("table", ("items", "positions"), {"epochs": 2, "lr": 0.003})
    stages = (table, Stage("rest", options={"lr": 0.003}))
    model.stages, model.enter = (lambda: stages), (lambda stage: None)
batches = model.batches(rows, 8, 0)
values = []

def validate():
    values.append([float(p.detach().double().sum()) for p in model.parameters()])
    return {"ndcg@10": float(len(values))}

out = Path(sys.argv[2])
training = FitConfig(
    epochs=int(sys.argv[3]), lr=0.01, warmup=1, patience=0, precision=sys.argv[4]
)
fit(model, batches, training, validate, out, resume=True)
rank = os.environ.get("RANK", "0")
(out / f"values-{rank}.json").write_text(json.dumps(values))
"""


def losses(out: Path) -> list[float]:
    """Training loss of every epoch, as the journal has it."""
    lines = (out / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def begin(
    model: str,
    out: Path,
    *launcher: str,
    epochs: int = 3,
    precision: str = "fp32",
    extra: Mapping[str, str] = MappingProxyType({}),
) -> "subprocess.Popen[str]":
    """Start the script, under `accelerate launch` where options for it are given.

    `extra` are variables of its environment.
    """
    script = out.parent / "script.py"
    script.write_text(SCRIPT)
    out.mkdir(exist_ok=True)
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": ""}
    env |= {"ACCELERATE_USE_CPU": "true", **extra}
    start = [sys.executable]
    if launcher:
        start += ["-m", "accelerate.commands.launch", *launcher]
    return subprocess.Popen(
        [*start, str(script), model, str(out), str(epochs), precision],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def train(model: str, out: Path, *launcher: str, epochs: int = 3, precision: str = "fp32") -> None:
    """Run the script to its end."""
    with begin(model, out, *launcher, epochs=epochs, precision=precision) as child:
        errors = child.communicate(timeout=300)[1]
    assert child.returncode == 0, errors[-6000:]


TWO = ("--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no",
       "--dynamo_backend", "no", "--main_process_port", "0")  # fmt: skip
"""accelerate starts several processes by its GPU launcher alone; the environment says CPU."""


PARTED = ("--config_file", str(ROOT / "recipes" / "fsdp.json"), "--main_process_port", "0")
"""The FSDP configuration that ships: weights, gradients and moments are parted over processes."""


# In the gate two processes train the staged model below, and the whole command.
@pytest.mark.parametrize(
    ("model", "launch"),
    [
        pytest.param("mtmh", TWO, marks=pytest.mark.slow),
        pytest.param("sasrec", TWO, marks=pytest.mark.slow),
        pytest.param("hstu", PARTED, marks=pytest.mark.slow),
        pytest.param("hstu", TWO, marks=pytest.mark.slow),
    ],
)
def test_two_processes_train_as_one(model: str, launch: tuple[str, ...], tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    train(model, one)
    train(model, two, *launch)
    assert len(losses(one)) == 3
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    weights = json.loads((two / "values-0.json").read_text())
    assert weights == json.loads((two / "values-1.json").read_text())
    assert len(weights) == 3


@pytest.mark.slow
def test_parted_weights_train_in_low_precision_as_whole_ones_do(tmp_path: Path) -> None:
    full, whole, parted = (tmp_path / name for name in ("full", "whole", "parted"))
    train("hstu", full)
    train("hstu", whole, precision="bf16")
    train("hstu", parted, *PARTED, precision="bf16")
    assert losses(parted) == pytest.approx(losses(whole), rel=5e-3)
    assert losses(parted)[0] != pytest.approx(losses(full)[0], rel=1e-6)
    newest = pointers.pointed(parted / "checkpoints" / "latest")
    assert newest is not None
    weights = files.load_tensors(newest / "model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())


def test_parted_weights_resume_from_a_checkpoint_that_one_process_could_read(
    tmp_path: Path,
) -> None:
    one, whole, twice = tmp_path / "one", tmp_path / "whole", tmp_path / "twice"
    train("sasrec", one)
    train("sasrec", whole, *PARTED)
    assert losses(whole) == pytest.approx(losses(one), rel=1e-4)
    train("sasrec", twice, *PARTED, epochs=1)
    train("sasrec", twice, *PARTED)
    assert losses(twice) == losses(whole)
    newest = pointers.pointed(twice / "checkpoints" / "latest")
    assert newest is not None
    found, want = (
        files.load_tensors(folder / "model.safetensors")
        for folder in (newest, whole / "checkpoints" / newest.name)
    )
    assert all(torch.equal(found[name], want[name]) for name in want)
    load_weights(SASRec(SASRecConfig(dim=16, history=8), 40), newest / "model.safetensors")


@pytest.mark.parametrize(
    "launch",
    [pytest.param(TWO, id="whole"), pytest.param(PARTED, id="parted", marks=pytest.mark.slow)],
)
def test_two_processes_train_in_stages_as_one(launch: tuple[str, ...], tmp_path: Path) -> None:
    one, two, twice = tmp_path / "one", tmp_path / "two", tmp_path / "twice"
    train("staged", one)
    train("staged", two, *launch)
    assert len(losses(one)) == 2 + 3
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    weights = json.loads((two / "values-0.json").read_text())
    assert weights == json.loads((two / "values-1.json").read_text())
    train("staged", twice, *launch, epochs=1)
    train("staged", twice, *launch)
    assert losses(twice) == losses(two)


@pytest.mark.slow
@pytest.mark.parametrize(
    "launch", [pytest.param(TWO, id="whole"), pytest.param(PARTED, id="parted")]
)
def test_two_processes_reason_verify_and_learn_both_as_one(
    launch: tuple[str, ...], tmp_path: Path
) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    one, two = tmp_path / "one", tmp_path / "two"
    train("vrec", one, epochs=1)
    train("vrec", two, *launch, epochs=1)
    assert len(losses(one)) == 3
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    weights = json.loads((two / "values-0.json").read_text())
    assert weights == json.loads((two / "values-1.json").read_text())
    assert weights[-1] == pytest.approx(json.loads((one / "values-0.json").read_text())[-1], 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_processes_stop_at_the_same_step_and_go_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    train("sasrec", whole, *TWO, epochs=40)
    child = begin("sasrec", stopped, *TWO, epochs=40)
    try:
        deadline = time.monotonic() + 300
        while not (stopped / "checkpoints" / "latest").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(child.pid, number)
        errors = child.communicate(timeout=60)[1]
        assert child.returncode != 0
        assert "Stopped by" in errors, errors[-4000:]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
    newest = pointers.pointed(stopped / "checkpoints" / "latest")
    assert newest is not None
    assert artifacts.verify(newest, "checkpoint")["progress"]["epoch"] < 40
    train("sasrec", stopped, *TWO, epochs=40)
    assert losses(stopped) == losses(whole)
    assert not list(stopped.rglob(".partial*"))


def test_the_command_runs_in_two_processes(small_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": ""}
    env |= {"ACCELERATE_USE_CPU": "true"}
    verb = ["train", "sasrec", "--data", str(small_data), "--out", str(out), "--json",
            "--fit.epochs", "1", "--model.dim", "8"]  # fmt: skip
    start = [sys.executable, "-m", "accelerate.commands.launch", *TWO, "-m", "tastemaker.cli"]
    done = subprocess.run([*start, *verb], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-6000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert json.loads(line)["run"] == str(out)
    assert (out / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("said", "yes"),
    [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False), ("", False)],
)
def test_weights_are_parted_where_the_launcher_says_so_and_there_are_several_processes(
    said: str, yes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", said)
    alone = Accelerator(cpu=True)
    assert not shards(alone)
    for kind in (DistributedType.MULTI_CPU, DistributedType.FSDP):
        monkeypatch.setattr(alone.state, "distributed_type", kind)
        assert shards(alone) is yes
    monkeypatch.delenv("ACCELERATE_USE_FSDP")
    assert not shards(alone)


@pytest.mark.parametrize("loss", ["softmax", "sampled", "gbce"])
@pytest.mark.parametrize("positions", [1, 8, 20, 1000])
def test_pieces_add_up_to_the_step(
    loss: str, positions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemaker.data.batches.POSITIONS", positions)
    torch.manual_seed(0)
    shape = SASRecConfig(dim=8, dropout=0.0, history=8, loss=loss, negatives=7)  # type: ignore[arg-type]
    model = SASRec(shape, ITEMS)
    batches = NextItemBatches(some_contexts(40), 8, tokens=160, negatives=model.config.sampled)
    for batch in batches.epoch(0):
        whole = model(batch)
        whole.backward()
        want = [p.grad.clone() for p in model.parameters()]
        model.zero_grad()
        found = batch.parts(small=True)
        assert sum(len(part.items) for part in found) == len(batch.items)
        for part in found:
            assert part.items.numel() <= max(positions, batch.items.shape[1])
            model(part).backward()
        total = sum(model(part).item() for part in found)
        assert total == pytest.approx(whole.item(), rel=1e-5)
        for parameter, gradient in zip(model.parameters(), want, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)
        model.zero_grad()
