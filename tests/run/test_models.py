"""The models of a run: all fitted, saved and opened alike, each under its name."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
import torch

from tastemaker import files
from tastemaker.data.batches import NextItemBatches
from tastemaker.data.catalog import Catalog
from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend import ease
from tastemaker.recommend.counting import COUNTING
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.models import Models
from tastemaker.run.saved import open_run
from tastemaker.worlds.logs import planted_groups
from tests.contracts import ITEMS, some_contexts
from tests.run.headed import headed


def fitted() -> Models:
    torch.manual_seed(0)
    neural = SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8, history=6), ITEMS)
    return Models.fit_counting("sasrec", neural, some_contexts(25, seed=9), ITEMS)


def test_candidates_are_the_items_trained() -> None:
    models = fitted()
    trained = set(some_contexts(25, seed=9).items.tolist())
    assert set((np.flatnonzero(models.candidates) + 1).tolist()) == trained


def test_a_model_that_is_too_large_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ease, "LARGEST", 5)
    models = fitted()
    assert "ease" not in models.names
    assert models.skipped is not None
    assert "the limit is 5" in models.skipped["ease"]
    assert list(models.parts()) == ["sasrec", "markov-last-5"]


def test_the_blend_has_a_name_once_it_has_weights() -> None:
    models = fitted()
    assert "blend" not in models.names
    with pytest.raises(BadInput, match="no model 'blend'"):
        models.get("blend")
    models.weights = {"sasrec": 1.0, "markov-last-5": 0.5, "ease": 3.0}
    rows = some_contexts(4)
    parts = models.parts()
    want = sum(w * parts[name].score(rows) for name, w in models.weights.items())
    torch.testing.assert_close(models.get("blend").score(rows), want)


def test_counting_models_that_were_let_go_leave_their_names() -> None:
    models = fitted()
    models.validation = {name: float(at) for at, name in enumerate(models.names)}
    names, best, freed = models.names, models.best_counting, ref(models.counting["ease"])
    models.let_go()
    assert (models.names, models.best_counting) == (names, best)
    assert freed() is None


def test_saved_models_score_the_same(finished_run: Path) -> None:
    saved = open_run(finished_run)
    again = open_run(finished_run)
    rows = saved.context("u1")
    for name in saved.models.names:
        one, two = saved.models.get(name), again.models.get(name)
        assert torch.equal(one.score(rows), two.score(rows)), name


@pytest.mark.parametrize(
    ("key", "tensor"),
    [
        ("ease/regulariser", None),
        ("candidates", None),
        ("candidates", torch.ones(3, dtype=torch.bool)),
        ("popularity/counts", torch.ones(3, dtype=torch.bfloat16)),
        ("markov-last-5/indices", torch.tensor([2**40])),
        ("item-knn/data", torch.tensor([torch.nan])),
        ("co-occurrence/knob.reach", torch.tensor([-1.0], dtype=torch.float64)),
    ],
)
def test_counts_that_are_not_those_of_a_model_are_refused(
    finished_run: Path, tmp_path: Path, key: str, tensor: torch.Tensor | None
) -> None:
    saved, config = open_run(finished_run), files.read_json(finished_run / "config.json")
    run = tmp_path / "foreign"
    shutil.copytree(finished_run, run)
    tensors = files.load_tensors(run / "counting.safetensors")
    del tensors[key]
    if tensor is not None:
        tensors[key] = tensor
    files.save_tensors(run / "counting.safetensors", tensors)
    with pytest.raises(ArtefactError) as caught:
        Models.open(run, config, saved.interactions, saved.catalog)
    assert caught.value.file.endswith("counting.safetensors")
    assert key.split("/")[0] in caught.value.what


def test_weights_of_another_shape_are_refused(finished_run: Path) -> None:
    saved = open_run(finished_run)
    wider = saved.config | {"model_config": saved.config["model_config"] | {"dim": 16}}
    with pytest.raises(ArtefactError, match="does not fit"):
        Models.open(finished_run, wider, saved.interactions, saved.catalog)


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"hidden_size": 3}, "Unknown option"),
        ({"dim": "8"}, "whole number"),
        ({"dim": 8.5}, "whole"),
    ],
)
def test_stored_options_are_read_strictly(
    finished_run: Path, values: dict[str, object], cause: str
) -> None:
    saved = open_run(finished_run)
    with pytest.raises(BadInput, match=cause):
        Models.open(
            finished_run, saved.config | {"model_config": values}, saved.interactions, saved.catalog
        )


@pytest.mark.parametrize(
    "values",
    [
        {"layers": 10**6},
        {"layers": 1_000},
        {"dim": 10**9},
        {"dim": 65_536},
        {"heads": 10**9},
        {"history": 10**12},
        {"history": 10**6},
        {"inner": 10**18},
        {"inner": 10**6},
        {"negatives": 10**400},
        {"dropout": float("nan")},
        {"calibration": float("inf")},
    ],
    ids=str,
)
@pytest.mark.parametrize("model", ["sasrec", "esasrec", "hstu", "hllm"])
def test_absurd_sizes_are_refused_before_anything_is_built(
    finished_run: Path, values: dict[str, object], model: str
) -> None:
    saved = open_run(finished_run)
    base = {"loss": "softmax"} if model != "sasrec" else saved.config["model_config"]
    missing = {"missing_text": "x"} if model == "hllm" else {}
    changed = saved.config | {"model": model, "model_config": {**base, **missing, **values}}
    began = time.process_time()
    with pytest.raises((BadInput, ArtefactError)) as caught:
        Models.open(finished_run, changed, saved.interactions, saved.catalog)
    assert caught.value.exit_code in (2, 3) and time.process_time() - began < 5


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.fill_(float("nan")),
        lambda t: t.index_fill_(0, torch.tensor(1), float("-inf")),
        lambda t: t.to(torch.int8),
        lambda t: t.double(),
    ],
)
def test_weights_that_are_not_what_was_trained_are_refused(
    finished_run: Path, tmp_path: Path, change: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    saved, run = open_run(finished_run), Path(shutil.copytree(finished_run, tmp_path / "run"))
    tensors = files.load_tensors(run / "model.safetensors")
    files.save_tensors(
        run / "model.safetensors", tensors | {"items.weight": change(tensors["items.weight"])}
    )
    with pytest.raises(ArtefactError, match=r"items\.weight"):
        Models.open(run, saved.config, saved.interactions, saved.catalog)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"model": "esasrecc"}, BadInput),
        ({"model": ["sasrec"]}, ArtefactError),
        ({"model": None}, ArtefactError),
        ({"model_config": 3}, ArtefactError),
        ({"vocabulary_sha256": 3}, ArtefactError),
    ],
)
def test_a_config_that_names_no_model_is_refused(
    finished_run: Path, values: dict[str, object], kind: type[Exception]
) -> None:
    saved = open_run(finished_run)
    with pytest.raises(kind, match="."):
        Models.open(finished_run, saved.config | values, saved.interactions, saved.catalog)


@pytest.mark.parametrize(
    "blend",
    [{"weights": {"sasrec": None}}, {"weights": {"nobody": 1.0}}, {"weights": [1]}, {"weights": 3}],
)
def test_a_blend_that_does_not_fit_is_refused(
    finished_run: Path, tmp_path: Path, blend: dict[str, object]
) -> None:
    saved, run = open_run(finished_run), Path(shutil.copytree(finished_run, tmp_path / "run"))
    files.write_json(run / "blend.json", blend)
    with pytest.raises(ArtefactError, match="Weights do not fit"):
        Models.open(run, saved.config, saved.interactions, saved.catalog)


@pytest.mark.parametrize("candidates", [None, torch.ones(3, dtype=torch.bool), torch.ones(40)])
def test_candidates_are_one_an_item(
    finished_run: Path, tmp_path: Path, candidates: torch.Tensor | None
) -> None:
    saved, run = open_run(finished_run), Path(shutil.copytree(finished_run, tmp_path / "run"))
    tensors = files.load_tensors(run / "counting.safetensors")
    del tensors["candidates"]
    more = {} if candidates is None else {"candidates": candidates}
    files.save_tensors(run / "counting.safetensors", tensors | more)
    with pytest.raises(ArtefactError, match="candidates"):
        Models.open(run, saved.config, saved.interactions, saved.catalog)


def test_a_catalogue_of_another_length_is_refused(finished_run: Path) -> None:
    saved = open_run(finished_run)
    with pytest.raises(ArtefactError, match="Items differ"):
        Models.open(
            finished_run, saved.config, saved.interactions, Catalog(saved.catalog.frame[:-1])
        )


def test_nothing_that_is_fitted_sees_the_held_out_events() -> None:
    """Leave-one-out: changing every validation and test event changes no fitted table."""
    rng = np.random.default_rng(0)
    sequences = {f"u{n}": [f"i{i}" for i in rng.permutation(30)[:12]] for n in range(40)}
    # a last user holds every item, so that both logs know the same items in the same order
    sequences["v"] = [f"i{i}" for i in range(30)] + ["i0", "i1"]
    changed = {u: s[:-2] + ["i3", "i4"] for u, s in sequences.items()}
    fitted, batches = [], []
    for log in (Interactions.from_sequences(sequences), Interactions.from_sequences(changed)):
        train = leave_one_out(log).train()
        models = Models.fit_counting("sasrec", torch.nn.Identity(), train, log.num_items)
        fitted.append({n: m.tensors() for n, m in models.counting.items()})
        batches.append(list(NextItemBatches(train, 8, tokens=64).epoch(0)))
    for name, tensors in fitted[0].items():
        for key, array in tensors.items():
            assert array.tobytes() == fitted[1][name][key].tobytes(), (name, key)
    for one, two in zip(*batches, strict=True):
        assert torch.equal(one.items, two.items)
        assert one.targets is not None
        assert two.targets is not None
        assert torch.equal(one.targets, two.targets)


def test_shuffled_targets_are_found_no_better_than_by_popularity() -> None:
    """If scores looked at targets, targets of somebody else would still be found."""
    world = planted_groups(users=400)
    cuts = leave_one_out(world.interactions())
    queries = cuts.queries("test")
    mixed = np.random.default_rng(0).permutation(queries.target_items)
    seen = [set(queries.contexts.slice(q, q + 1).items.tolist()) for q in range(len(queries))]
    rows = np.array([q for q in range(len(queries)) if mixed[q] not in seen[q]])
    shuffled = replace(queries, target_items=mixed).take(rows)
    train, items = cuts.train(), cuts.interactions.num_items
    values = {}
    for name in ("popularity", "item-knn", "ease", "co-occurrence"):
        fitted = COUNTING[name].fit(train, items)
        values[name] = evaluate(fitted, shuffled, EvalOptions((10,))).per_user["hr@10"]
    for name, hits in values.items():
        assert hits.mean() <= values["popularity"].mean() + 3 * hits.std() / len(hits) ** 0.5, name


def test_heads_take_part_where_the_neural_model_does(finished_run: Path) -> None:
    plain = open_run(finished_run)
    run, silent = headed(plain).models, headed(plain, weight=0.0).models
    assert run.heads_in("priors") is run.neural
    assert run.heads_in("blend") is run.neural
    assert silent.heads_in("blend") is None
    for name in ("ease", "popularity", "no-model"):
        assert run.heads_in(name) is None
    assert all(plain.models.heads_in(name) is None for name in plain.models.names)
