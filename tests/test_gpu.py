"""On a GPU everything is as on a CPU: scores, losses, trainings, runs; and how fast it is there.

Run them with `pytest -m gpu tests/test_gpu.py -s`; what is measured is printed as a line of JSON.
"""

import copy
import importlib.util
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import TastemakerError
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.nn import attention, losses
from tastemaker.options import RunOptions
from tastemaker.recommend.backbones import build
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.recommend.persrec_memory import Remembering, identity_of
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.recommend.user_states import UserStates
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.run.compare import evaluate_run
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.seams import Shape, Starts
from tastemaker.train.config import FitConfig
from tastemaker.train.journal import Journal
from tastemaker.train.loop import fit
from tastemaker.worlds.logs import long_memory
from tests.train.test_processes import PARTED, begin
from tests.train.test_processes import losses as losses_of

GPU = torch.device("cuda")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here"),
]

ITEMS = 60
SHAPES: dict[str, Shape] = {
    "sasrec": SASRecConfig(dim=32, dropout=0.0, history=12, loss="sampled", negatives=20),
    "sasrec-gbce": SASRecConfig(dim=32, dropout=0.0, history=12, loss="gbce", negatives=20),
    "esasrec": ESASRecConfig(dim=32, dropout=0.0, history=12, loss="softmax"),
    "hstu": HSTUConfig(dim=32, dropout=0.0, history=12, loss="softmax", heads=2, head_dim=16),
    "hllm": HLLMConfig(dim=32, dropout=0.0, history=12, loss="sampled", negatives=20, fresh=12,
                       max_tokens=8),
    "hllm-top": HLLMConfig(dim=32, dropout=0.0, history=12, loss="softmax", trained_layers=1,
                           max_tokens=8),
    "mtmh": MTMHConfig(dim=32, width=32, history=12, window=2),
    "persrec": PerSRecConfig(HSTUConfig(dim=32, dropout=0.0, loss="softmax", heads=2, head_dim=16,
                                        divisor=1), old=9, recent=4, tokens=3, parts=3),
    "priors": PriorsConfig(HSTUConfig(dim=32, dropout=0.0, history=12, heads=2, head_dim=16),
                           offsets=4, segments=2, negatives=20, switch=0.1, merge="calibrated"),
    "vrec": VRecConfig(dim=32, dropout=0.0, history=12, levels=2, size=8, classes=5,
                       verify_epochs=2, joint_epochs=2),
}  # fmt: skip
WORLD = long_memory(users=200, length=40, items=ITEMS, lag=2)


def some_rows(rows: int, seed: int) -> Contexts:
    """Rows of 2 to 30 random events with their times."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(2, 31, rows))]).astype(np.int64)
    items = rng.integers(1, ITEMS + 1, offsets[-1]).astype(np.int32)
    return Contexts(np.arange(rows), offsets, items, np.sort(rng.integers(0, 10**8, offsets[-1])))


TRAIN, ASKED = some_rows(50, 0), some_rows(20, 1)


def ground() -> Ground:
    """Items with texts and three groups."""
    ids = [f"i{n}" for n in range(ITEMS)]
    known: dict[str, list[Any]] = {
        "item_id": ids,
        "title": [f"thing{n} of kind{n % 3}" for n in range(ITEMS)],
        "categories": [[f"g{n % 3}"] for n in range(ITEMS)],
    }
    frame = pl.DataFrame({name: known.get(name, [None] * ITEMS) for name in SCHEMA}, SCHEMA)
    return Ground.of(pl.Series(ids), Catalog(frame), TRAIN)


def built(name: str, **set_to: Any) -> Any:
    """A model with the weights of seed 0, on the CPU."""
    torch.manual_seed(0)
    return build(replace(SHAPES[name], **set_to), ground())  # type: ignore[type-var]


def same_on_both(here: Any, batches: Any, steps: int = 3) -> None:
    """Scores, losses and gradients of a model on the CPU and of its copy on the GPU."""
    if isinstance(here, Starts):
        here.start()  # axes of texts are the same but for their signs, which are anybody's choice
    there = copy.deepcopy(here).to(GPU)
    with torch.no_grad():
        want, got = here.eval().score(ASKED), there.eval().score(ASKED)
    assert got.device.type == GPU.type
    torch.testing.assert_close(got.cpu(), want, rtol=1e-4, atol=1e-4)
    for number, batch in enumerate(batches.epoch(0)):
        if number == steps:
            return
        values = []
        for model, device in ((here.train(), torch.device("cpu")), (there.train(), GPU)):
            torch.manual_seed(number)
            model.zero_grad()
            loss = model(batch.to(device))
            loss.backward()
            values.append(loss.item())
        assert values[1] == pytest.approx(values[0], rel=1e-4)
        found = dict(there.named_parameters())
        for name, parameter in here.named_parameters():
            gradient = found[name].grad
            assert (gradient is None) == (parameter.grad is None), name
            if parameter.grad is not None and gradient is not None:
                near = 1e-5 + 1e-4 * float(parameter.grad.abs().max())
                torch.testing.assert_close(gradient.cpu(), parameter.grad, rtol=1e-3, atol=near)


@pytest.mark.parametrize("name", SHAPES)
def test_scores_losses_and_gradients_are_those_of_the_cpu(name: str) -> None:
    if name.startswith(("hllm", "vrec")):
        pytest.importorskip("transformers", reason="transformers is not installed")
    model = built(name)
    same_on_both(model, model.batches(TRAIN, 4))


@torch.no_grad()
def test_beams_name_the_same_items_wherever_a_model_was_moved() -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    model = built("vrec").eval()
    want = model.recommend(ASKED, 5, 20)
    sure = built("vrec", beams=5, certain=3).eval().to(GPU)
    for device in (GPU, torch.device("cpu"), GPU):
        named = model.to(device).recommend(ASKED, 5, 20)
        assert named.items.device.type == device.type
        assert (named.items.cpu() == want.items).float().mean() > 0.95
        torch.testing.assert_close(named.scores.cpu(), want.scores, rtol=1e-4, atol=1e-4)
    assert (sure.score(ASKED).topk(3).indices == model.score(ASKED).topk(3).indices).all()


@torch.no_grad()
def test_layers_that_do_not_train_say_the_same_on_both() -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    here = built("hllm-top")
    there = built("hllm-top").to(GPU)
    for model in (here, there):
        model.refresh()
    assert there.features.device.type == GPU.type
    # What stands below is kept in half precision, and a last bit may fall either way.
    torch.testing.assert_close(there.features.cpu(), here.features, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("composition", ["hierarchical", "additive"])
def test_heads_of_human_priors_are_those_of_the_cpu(composition: str) -> None:
    shape = PriorsConfig(backbone=SHAPES["sasrec"], composition=composition)  # type: ignore[arg-type]
    torch.manual_seed(0)
    model = Priors.build(shape, ground())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))  # fresh heads are all alike
    same_on_both(model, model.batches(TRAIN, 4))
    there = copy.deepcopy(model).to(GPU)
    for one, other in zip(model.spoken(ASKED), there.spoken(ASKED), strict=True):
        torch.testing.assert_close(other.cpu(), one, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_what_is_kept_on_a_gpu_answers_as_one_pass(tmp_path: Path) -> None:
    model = built("persrec").eval().to(GPU)
    want = model.score(ASKED)
    states = UserStates.open(tmp_path / "states", identity_of(model), "float32")
    remembering = Remembering(model, states, str)
    model.memories = remembering.memory
    for _ in range(2):
        torch.testing.assert_close(model.score(ASKED), want, rtol=1e-4, atol=1e-4)
    assert remembering.read == remembering.made == len(ASKED)


def trained(
    out: Path, name: str = "sasrec", stop: BaseException | int | None = None, **set_to: Any
) -> tuple[Any, list[float], float]:
    """A model of the planted log, the loss of each epoch, and its last validation value.

    Args:
        out: Of the training, which goes on if it was begun there.
        name: Of the shape.
        stop: What the second validation ends in: an error, or a signal; None: nothing.
        set_to: Training options, or those of the model.
    """
    shape = replace(SHAPES[name], **set_to.pop("model", {}))  # type: ignore[type-var]
    split = leave_one_out(WORLD.interactions())
    torch.manual_seed(0)
    model: Any = build(shape, Ground(split.interactions.num_items, train=split.train()))
    queries, values = split.queries("validation"), []

    def validate() -> dict[str, float]:
        if stop is not None and len(values) == 1:
            if isinstance(stop, BaseException):
                raise stop
            signal.raise_signal(stop)
        measured = evaluate(model, queries, EvalOptions(ks=(1, 10), filter_seen=False))
        values.append(measured.mean("hr@1"))
        return {"ndcg@10": measured.mean("ndcg@10"), "hr@1": values[-1]}

    options = {"epochs": 12, "lr": 0.003, "batch": 16, "warmup": 20, "patience": 0} | set_to
    out.mkdir(exist_ok=True)
    fit(model, model.batches(split.train(), 16, 0), FitConfig(**options), validate, out, True)
    assert next(model.parameters()).device.type == GPU.type
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return model, [line["loss"] for line in lines], values[-1]


def test_fit_learns_in_both_precisions(tmp_path: Path) -> None:
    reached = {}
    for name in ("sasrec", "hstu"):
        for precision in ("fp32", "bf16"):
            out = tmp_path / f"{name}-{precision}"
            model, falling, reached[name, precision] = trained(out, name, precision=precision)
            assert falling[-1] < 0.7 * falling[0]
            for parameter in model.parameters():
                assert parameter.dtype == torch.float32
                assert torch.isfinite(parameter).all()
    report("reached", {" ".join(key): round(value, 3) for key, value in reached.items()})
    for name in ("sasrec", "hstu"):
        assert reached[name, "fp32"] > 0.5  # popularity reaches .09
        assert reached[name, "bf16"] == pytest.approx(reached[name, "fp32"], abs=0.1)


def test_reasoning_learns_in_both_precisions(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    set_to: dict[str, Any] = {"epochs": 4, "batch": 64}
    set_to["model"] = {"codes": "events", "verifiers": ("collaborative",)}
    reached = {}
    for precision in ("fp32", "bf16"):
        options = copy.deepcopy(set_to) | {"precision": precision}
        model, curve, reached[precision] = trained(tmp_path / precision, "vrec", **options)
        assert len(curve) == 4 + 2 + 2 and curve[3] < curve[0]
        for parameter in model.parameters():
            assert parameter.dtype == torch.float32
            assert torch.isfinite(parameter).all()
    report("reached", {f"vrec {key}": round(value, 3) for key, value in reached.items()})
    assert reached["bf16"] == pytest.approx(reached["fp32"], abs=0.1)


@pytest.fixture
def in_order(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sums in a fixed order, as on a CPU."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), signal.SIGTERM], ids=["killed", "stopped"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.usefixtures("in_order")
def test_a_stopped_training_goes_on_to_the_same_weights(
    stop: Any, precision: str, tmp_path: Path
) -> None:
    same: dict[str, Any] = {"epochs": 3, "checkpoint_every": 7, "precision": precision}
    same |= {"model": {"dropout": 0.3}}  # drawn by the GPU's own generator
    whole, curve, value = trained(tmp_path / "whole", **copy.deepcopy(same))
    with pytest.raises((KeyboardInterrupt, TastemakerError)):
        trained(tmp_path / "twice", stop=stop, **copy.deepcopy(same))
    again, its_curve, its_value = trained(tmp_path / "twice", **copy.deepcopy(same))
    assert (its_curve, its_value) == (curve, value)
    want = whole.state_dict()
    assert all(torch.equal(tensor, want[name]) for name, tensor in again.state_dict().items())


@pytest.fixture
def plain_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty page where the library of charts is not at hand."""
    if importlib.util.find_spec("vl_convert") is None or importlib.util.find_spec("altair") is None:
        page = ModuleType("tastemaker.report.page")
        page.write_report = lambda run: (run / "report.html").write_text("")  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, page.__name__, page)


@pytest.mark.usefixtures("plain_report")
@pytest.mark.parametrize("name", ["sasrec", "mtmh", "vrec"])
def test_a_run_is_the_same_opened_on_a_cpu(name: str, tmp_path: Path) -> None:
    if name == "vrec":
        pytest.importorskip("transformers", reason="transformers is not installed")
    data = tmp_path / "data"
    data.mkdir()
    WORLD.frame.write_csv(data / "interactions.csv")
    groups = [["even"] if n % 2 else ["odd"] for n in range(ITEMS)]
    ids = WORLD.frame["item_id"].unique().sort()
    items = {"item_id": ids, "title": "thing " + ids, "categories": groups[: len(ids)]}
    pl.DataFrame(items).write_parquet(data / "items.parquet")
    options = RunOptions(data=str(data), out=str(tmp_path / "run"), repeats=True)
    done = run_recommender(options, SHAPES[name], FitConfig(epochs=8, lr=0.003, warmup=20))
    means = {model: values["ndcg@10"] for model, values in done["models"].items()}
    report("run", {key: value["mean"] for key, value in means.items()} | {"best": done["best"]})
    saved = open_run(tmp_path / "run")
    assert next(saved.models.neural.parameters()).device.type == "cpu"  # type: ignore[attr-defined]
    again = evaluate_run(tmp_path / "run")["models"]
    for model, value in means.items():
        assert again[model]["ndcg@10"]["mean"] == pytest.approx(value["mean"], abs=2e-3)
    on_validation = done["validation"]
    assert on_validation[done["best"]] == max(on_validation.values())
    if name == "sasrec":
        assert means[name]["mean"] > 2 * means["popularity"]["mean"]
    lists = saved.recommend_all(k=5, model=name)
    saved.models.neural.to(GPU)  # type: ignore[attr-defined]
    other = saved.recommend_all(k=5, model=name)
    assert (lists["item_id"] == other["item_id"]).mean() > 0.99  # type: ignore[operator]
    assert np.abs((lists["score"] - other["score"]).to_numpy()).max() < 1e-3


def test_launched_trainings_are_as_a_plain_one(tmp_path: Path) -> None:
    """All at once: each is short, and most of its time goes by before it begins."""
    gpu = {"ACCELERATE_USE_CPU": "false"}
    alone = gpu | {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1",
                   "MASTER_ADDR": "127.0.0.1"}  # fmt: skip
    parted = (*PARTED, "--num_processes", "1")
    kinds: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
        "cpu": ((), {}, "fp32"),
        "plain": ((), gpu, "fp32"),
        "ddp": ((), alone | {"MASTER_PORT": "29611"}, "fp32"),
        "fsdp": (parted, gpu, "fp32"),
        "plain-bf16": ((), gpu, "bf16"),
        "ddp-bf16": ((), alone | {"MASTER_PORT": "29612"}, "bf16"),
        "fsdp-bf16": (parted, gpu, "bf16"),
    }
    children = {}
    for kind, (launcher, extra, precision) in kinds.items():
        folder = tmp_path / kind
        folder.mkdir()
        children[kind] = begin("hstu", folder / "out", *launcher, precision=precision, extra=extra)
    faults = {}
    for kind, child in children.items():
        try:
            said = child.communicate(timeout=120)[1]
        except subprocess.TimeoutExpired:
            child.kill()
            said = child.communicate()[1]
        if child.returncode:
            faults[kind] = said[-3000:]
    assert not faults, "\n".join(f"{kind}: {said}" for kind, said in faults.items())
    found = {kind: losses_of(tmp_path / kind / "out") for kind in kinds}
    report("launched", {kind: [round(loss, 5) for loss in curve] for kind, curve in found.items()})
    assert found["plain"] == pytest.approx(found["cpu"], rel=1e-3)
    for kind in ("ddp", "fsdp"):
        assert found[kind] == pytest.approx(found["plain"], rel=1e-4)
        low = found[f"{kind}-bf16"]
        assert low == pytest.approx(found["plain-bf16"], rel=1e-2)
        assert low[0] != pytest.approx(found["plain"][0], rel=1e-6)


LARGE = HSTUConfig(dim=512, layers=8, heads=8, head_dim=64, history=200, loss="sampled")


def large_ground(items: int) -> Ground:
    """Items in 50 groups, every third of them in two."""
    first = np.arange(items) % 50
    labels = [
        [f"g{group}", *([f"g{(group + 7) % 50}"] if number % 3 == 0 else [])]
        for number, group in enumerate(first.tolist())
    ]
    return Ground(items, groupings={CATEGORY: Grouping.from_labels(pl.Series(labels), "items")})


def large_log(rows: int, length: int, items: int) -> Contexts:
    """Rows of full length, in which some items are far more popular than others."""
    rng = np.random.default_rng(0)
    codes = np.exp(rng.random(rows * length) * math.log(items)).astype(np.int32)
    times = np.tile(np.arange(length, dtype=np.int64) * 3600, rows)
    offsets = np.arange(rows + 1, dtype=np.int64) * length
    return Contexts(np.arange(rows), offsets, codes.clip(1, items), times)


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        (LARGE, 128),
        (SASRecConfig(dim=512, layers=8, heads=8, inner=2048, history=200, loss="sampled"), 128),
        (SASRecConfig(dim=1024, layers=16, heads=16, inner=4096, history=200, loss="sampled"), 64),
        (HSTUConfig(dim=1024, layers=16, heads=8, head_dim=128, history=200, loss="sampled"), 64),
        (PriorsConfig(LARGE, priors=("category",), offsets=4, segments=2), 64),
        (PerSRecConfig(replace(LARGE, history=50, divisor=1), 900, 100, 16), 16),
    ],
    ids=["hstu-512", "sasrec-512", "sasrec-1024", "hstu-1024", "priors-512", "persrec-512"],
)
def test_a_hundred_steps_of_a_large_model(
    shape: Any, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, steps, warm = 100_000, 100, 20
    log = large_log(rows * steps, shape.history + 1, items)
    torch.manual_seed(0)
    model: Any = build(shape, large_ground(items))
    told: list[tuple[float, float, int]] = []

    def step(journal: Journal, epoch: int, number: int, loss: float, targets: int) -> None:
        told.append((time.perf_counter(), loss, targets))

    monkeypatch.setattr(Journal, "step", step)
    torch.cuda.reset_peak_memory_stats()
    training = FitConfig(epochs=1, batch=rows, lr=3e-4, warmup=warm, patience=0, precision="bf16")
    fit(model, model.batches(log, rows, 0), training, lambda: {"ndcg@10": 0.0})
    taken = told[-1][0] - told[warm - 1][0]
    curve = [loss for _, loss, _ in told]
    report(
        "large",
        {
            "model": type(shape).__name__.removesuffix("Config"),
            "dim": shape.dim,
            "layers": vars(shape).get("backbone", shape).layers,
            "million_weights": round(sum(p.numel() for p in model.parameters()) / 1e6, 1),
            "targets_a_step": told[0][2],
            "targets_a_second": round(sum(n for _, _, n in told[warm:]) / taken),
            "ms_a_step": round(1000 * taken / (len(told) - warm), 1),
            "peak_gb": round(torch.cuda.max_memory_allocated() / 2**30, 1),
            "loss": [round(curve[0], 3), round(curve[-1], 3)],
        },
    )
    assert len(told) == steps
    assert all(map(math.isfinite, curve))
    assert sum(curve[-10:]) < sum(curve[:10])
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


@pytest.mark.parametrize("part", ["softmax", "attention"])
def test_large_pieces_are_no_slower(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces made for a CPU's cache leave a GPU idle."""
    torch.manual_seed(0)
    if part == "softmax":
        states = torch.randn(6400, 256, device=GPU, requires_grad=True)
        table = torch.randn(20_001, 256, device=GPU, requires_grad=True)
        targets = torch.randint(1, 20_001, (6400,), device=GPU)
        small = (losses, "LARGE_CHUNK", losses.CHUNK)

        def once() -> None:
            (losses.full_softmax(states, table, targets) / 6400).backward()
    else:
        q, k, v = (torch.randn(32, 4, 200, 64, device=GPU, requires_grad=True) for _ in range(3))
        bias, weights = torch.randn(200, 200, device=GPU), torch.randn(129, device=GPU)
        buckets = torch.randint(0, 129, (32, 200, 200), device=GPU)
        small = (attention, "_LARGE", attention._SCORES)

        def once() -> None:
            mixed = attention.pointwise_attention((q, k, v), bias, weights, buckets, 211)
            mixed.sum().backward()

    def seconds() -> float:
        taken = []
        for _ in range(4):
            torch.cuda.synchronize()
            begun = time.perf_counter()
            once()
            torch.cuda.synchronize()
            taken.append(time.perf_counter() - begun)
        return min(taken)

    large = seconds()
    monkeypatch.setattr(*small)
    slow = seconds()
    report("pieces", {"part": part, "large_ms": 1000 * large, "small_ms": 1000 * slow})
    assert large < 1.1 * slow


def report(what: str, values: dict[str, Any]) -> None:
    """Print what was measured, and on what."""
    on = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    print("\n" + json.dumps({"what": what, "on": on, "torch": torch.__version__, **values}))
