"""HLLM: items are texts; both models learn; vectors are made once, and anew for what changed."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import save_file

from tastemaker import files
from tastemaker.data.batches import NextItemBatches, last
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.hllm import HLLM, HLLMConfig
from tastemaker.run.compare import evaluate_run
from tastemaker.run.folder import seal_run
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tests.contracts import ITEMS, RecommenderContract, TrainableContract, some_contexts

pytest.importorskip("transformers", reason="transformers is not installed")

SMALL = HLLMConfig(dim=16, layers=2, heads=2, dropout=0.0, history=8, max_tokens=8)


def catalog(num_items: int = ITEMS, changed: dict[int, str] | None = None) -> Catalog:
    """Every item has two words of its own and shares a third."""
    titles = [f"item{n} word{n * 7 % 31} group{n % 3}" for n in range(num_items)]
    for at, text in (changed or {}).items():
        titles[at] = text
    frame = pl.DataFrame({"item_id": [f"i{n}" for n in range(num_items)], "title": titles})
    missing = [pl.lit(None).cast(kind).alias(n) for n, kind in SCHEMA.items() if n not in frame]
    return Catalog(frame.with_columns(missing).select(list(SCHEMA)))


def model(num_items: int = ITEMS, seed: int = 0, **changes: object) -> HLLM:
    torch.manual_seed(seed)
    return HLLM(replace(SMALL, **changes), num_items, catalog(num_items)).eval()  # type: ignore[arg-type]


class TestHLLM(RecommenderContract, TrainableContract):
    """The contract of every recommender and of every trainable model."""

    few = "sampled"

    def build(self, num_items: int, seed: int = 0) -> HLLM:
        return model(num_items, seed)

    def ground(self, num_items: int) -> Ground:
        return Ground(num_items, catalog(num_items))


class TestFrozen(RecommenderContract):
    """A frozen item model keeps the contract of a recommender."""

    def build(self, num_items: int, seed: int = 0) -> HLLM:
        return model(num_items, seed, trained_layers=0)


def one_batch(loss: str = "softmax") -> object:
    negatives = 0 if loss == "softmax" else 5
    (batch, *_) = NextItemBatches(some_contexts(), 8, 400, negatives=negatives).epoch(0)
    return batch


@pytest.mark.parametrize("loss", ["softmax", "sampled", "gbce"])
@pytest.mark.parametrize("changes", [{}, {"pooling": "item"}, {"trained_layers": 1}])
def test_gradient_reaches_both_models(loss: str, changes: dict[str, object]) -> None:
    net = model(loss=loss, **changes)
    net.train()(one_batch(loss)).backward()
    silent = [n for n, p in net.named_parameters() if p.requires_grad and p.grad is None]
    assert silent == []
    for part in (net.item, net.user, net.project):
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in part.parameters())


def test_a_sample_of_all_other_items_is_the_full_softmax() -> None:
    batch = replace(one_batch(), negatives=torch.arange(1, ITEMS + 1))  # type: ignore[type-var]
    torch.testing.assert_close(model(loss="sampled")(batch), model()(batch))


@pytest.mark.parametrize("loss", ["sampled", "gbce"])
def test_a_table_of_the_items_of_a_step_changes_no_loss(loss: str) -> None:
    net, batch = model(loss=loss), one_batch(loss)
    part, table = net.competitors(batch), net.table()  # type: ignore[arg-type]
    assert len(part.table) < len(table)
    states, wanted = net.states(batch, vectors=part.inputs), part.targets > 0  # type: ignore[arg-type]
    in_step = net.competition(states[wanted], part.table, part.targets[wanted], part.negatives)
    targets, negatives = batch.targets[wanted], batch.negatives  # type: ignore[attr-defined]
    whole = net.competition(states[wanted], table, targets, negatives)
    torch.testing.assert_close(in_step, whole)


@torch.no_grad()
def test_scores_from_kept_vectors_are_those_made_afresh() -> None:
    net, rows = model(), some_contexts()
    first = net.score(rows)
    net.stale[1:] = True
    torch.testing.assert_close(net.score(rows), first)


@torch.no_grad()
def test_only_texts_that_change_are_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    net, rows = model(), some_contexts()
    before, seen = net.score(rows), []
    read = net.item.read
    monkeypatch.setattr(net.item, "read", lambda texts: seen.extend(texts) or read(texts))
    assert net.update(catalog(changed={4: "something else"})) == 1
    assert seen == ["title: something else"]
    after = net.score(Contexts.single([1, 2]))
    assert net.update(catalog(changed={4: "something else"})) == 0
    assert not torch.equal(before[:, 4], net.score(rows)[:, 4])
    assert torch.isfinite(after).all()


def test_an_item_nobody_chose_has_a_score_from_its_text() -> None:
    """Users choose within a group that titles name; the last of each group is never trained."""
    rng = np.random.default_rng(0)
    rows, groups = [], []
    for _ in range(60):
        group = int(rng.integers(3))
        rows.append(rng.permutation([n + 1 for n in range(24) if n % 3 == group])[:6])
        groups.append(group)
    flat = np.concatenate(rows).astype(np.int32)
    contexts = Contexts(np.arange(60), np.arange(61) * 6, flat)
    net = model(27, dim=32, dropout=0.2).train()
    batches = NextItemBatches(contexts, history=8, tokens=160, negatives=net.config.sampled)
    training = FitConfig(epochs=100, lr=0.01, warmup=5, patience=0, validate_every=100)
    fit(net, batches, training, lambda: {"ndcg@10": 0.0})
    cold = net.eval().score(contexts)[:, 24:]
    assert (cold.argmax(1).numpy() == np.array(groups)).mean() > 0.8  # by chance: a third


def test_at_most_so_many_items_are_encoded_with_a_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, batch = model(fresh=5, loss="sampled").train(), one_batch("sampled")
    net(batch)  # the first step encodes everything once
    sizes, encode = {}, net._encoded

    def counted(at: np.ndarray) -> torch.Tensor:
        sizes[torch.is_grad_enabled()] = len(at)
        return encode(at)

    monkeypatch.setattr(net, "_encoded", counted)
    net(batch).backward()
    known = (batch.items, batch.targets, batch.negatives)  # type: ignore[attr-defined]
    present = torch.unique(torch.cat([one.flatten() for one in known]))
    assert sizes == {True: 5, False: int((present > 0).sum()) - 5}


@pytest.mark.parametrize("loss", ["softmax", "sampled"])
def test_nothing_that_competes_is_older_than_the_step(loss: str) -> None:
    """Features kept from earlier steps must not matter: their age would tell targets apart."""
    net, batch = model(fresh=3, loss=loss).train(), one_batch(loss)
    net(batch)
    want = net(batch)
    net.features[1:] = torch.randn(net.features[1:].shape)
    torch.testing.assert_close(net(batch), want, rtol=1e-5, atol=1e-6)


def test_until_the_thaw_only_the_user_model_learns() -> None:
    net = model(loss="sampled", thaw=2).train()
    net.start()
    item = list(net.item.parameters())
    for step in range(4):
        net.zero_grad()
        net(one_batch("sampled")).backward()
        learns = any(p.grad is not None and p.grad.abs().max() > 0 for p in item)
        assert learns == (step >= 2)
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in net.user.parameters())


@pytest.mark.parametrize("changes", [{"trained_layers": 0}, {"thaw": 5}])
def test_a_loss_outside_of_fit_has_read_the_texts(changes: dict[str, int]) -> None:
    net = model(loss="sampled", **changes).train()
    net(one_batch("sampled"))
    assert net.features[1:].any(1).all()


def test_items_without_text_are_an_error_or_have_a_text_stand_in() -> None:
    empty = catalog(changed={3: "", 7: ""})
    with pytest.raises(BadInput, match="2 of 30 items have no text, such as i3, i7") as caught:
        HLLM(SMALL, ITEMS, empty)
    assert "--model.missing-text" in caught.value.fix
    net = HLLM(replace(SMALL, missing_text="unknown item"), ITEMS, empty).eval()
    assert torch.isfinite(net.score(some_contexts())).all()


@torch.no_grad()
def test_empty_histories_and_rows_of_them_are_finite() -> None:
    net = model()
    assert torch.isfinite(net.score(Contexts.single([]))).all()
    assert net.encode(last(Contexts.single([]), 8)).abs().max() == 0


def test_the_start_is_a_whitening_of_the_texts() -> None:
    net = model(200)
    net.start()
    projected = net.project(net.features[1:]).detach()[:, :15]  # 16 less the mean
    torch.testing.assert_close(projected.mean(0), torch.zeros(15), rtol=0, atol=1e-4)
    correlation = np.corrcoef(projected.T.numpy()) - np.eye(15)
    assert np.abs(correlation).max() < 0.05


def test_a_finished_run_recommends_and_resumes(small_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = RunOptions(data=str(small_data), out=str(out))
    training = FitConfig(epochs=1)
    stands_in = replace(SMALL, missing_text="unknown item")
    results = run_recommender(options, stands_in, training)
    assert "hllm" in results["models"]
    saved = open_run(out)
    user = saved.interactions.user_ids[0]
    assert saved.recommend(user, 3, model="hllm").items
    rows = saved.context(user)
    assert torch.equal(saved.model("hllm").score(rows), open_run(out).model("hllm").score(rows))


@pytest.fixture(scope="module")
def foreign_run(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of foreign item and user models, whose folders are gone since."""
    from tests.models.conftest import save_bert, save_llama

    place = tmp_path_factory.mktemp("foreign")
    config = replace(
        SMALL,
        item_model=str(save_bert(place / "bert")),
        user_model=str(save_llama(place / "llama")),
        trained_layers=1,
        missing_text="blue shoe",
    )
    options = RunOptions(data=str(small_data), out=str(place / "run"))
    run_recommender(options, config, FitConfig(epochs=1))
    for name in ("bert", "llama"):
        shutil.rmtree(place / name)
    return place / "run"


def test_a_run_is_opened_without_the_models_it_was_trained_with(foreign_run: Path) -> None:
    saved = open_run(foreign_run)
    assert saved.recommend("u1", 3, model="hllm").items
    mean = evaluate_run(foreign_run, "hllm")["models"]["hllm"]
    assert mean["ndcg@10"]["mean"] == saved.results["models"]["hllm"]["ndcg@10"]["mean"]
    neural = saved.models.neural
    assert isinstance(neural, HLLM)
    with pytest.raises(BadInput, match="no item model"):
        neural.update(Catalog(saved.catalog.frame.with_columns(title=pl.lit("x"))))


def test_a_run_opens_no_path_that_its_config_names(foreign_run: Path, tmp_path: Path) -> None:
    """A stranger's run names a folder with code; it is not so much as looked at."""
    run, canary = tmp_path / "run", tmp_path / "canary"
    shutil.copytree(foreign_run, run)
    config = files.read_json(run / "config.json")
    trap = tmp_path / "trap"
    trap.mkdir()
    code = f"open({str(canary)!r}, 'w').close()"
    for name in ("trap.py", "pip.py"):
        (trap / name).write_text(code)
    auto = {"model_type": "trap", "auto_map": {"AutoConfig": "trap.C", "AutoModel": "trap.M"}}
    files.write_json(trap / "config.json", auto)
    config["model_config"] |= {"item_model": str(trap), "user_model": str(trap)}
    files.write_json(run / "config.json", config)
    seal_again(run)
    command = [sys.executable, "-m", "tastemaker.cli", "recommend", str(run), "--user", "u1"]
    done = subprocess.run(
        [*command, "--model", "hllm"], input="y\n" * 50, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shape = files.read_json(run / "user_model.json") | auto
    files.write_json(run / "user_model.json", shape)
    seal_again(run)
    done = subprocess.run(command, input="y\n" * 50, capture_output=True, text=True, cwd=trap)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert not canary.exists()


def seal_again(run: Path) -> None:
    """As a stranger would, whose run is whole."""
    (run / "manifest.json").unlink()
    seal_run(run, {})


@pytest.mark.parametrize(
    "wrong", [{"num_hidden_layers": 10**6}, {"hidden_size": 10**9}, {"intermediate_size": 10**12}]
)
def test_a_kept_shape_must_be_that_of_the_weights(
    foreign_run: Path, tmp_path: Path, wrong: dict[str, int]
) -> None:
    run = Path(shutil.copytree(foreign_run, tmp_path / "run"))
    shape = files.read_json(run / "user_model.json")
    files.write_json(run / "user_model.json", shape | wrong)
    seal_again(run)
    with pytest.raises(ArtefactError):
        open_run(run)


def test_a_run_does_not_go_on_with_another_item_model(small_data: Path, tmp_path: Path) -> None:
    from tests.models.conftest import save_bert

    folder = save_bert(tmp_path / "bert")
    config = replace(SMALL, item_model=str(folder), trained_layers=0, missing_text="blue")
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"), resume=True)
    run_recommender(options, config, FitConfig(epochs=1))
    run_recommender(options, config, FitConfig(epochs=1))
    tensors = files.load_tensors(folder / "model.safetensors")
    first = next(name for name in sorted(tensors) if name.endswith("embeddings.weight"))
    changed = tensors | {first: tensors[first] + 1}
    save_file(changed, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ArtefactError, match="foreign_models.item_model differs"):
        run_recommender(options, config, FitConfig(epochs=2))


@torch.no_grad()
def moved(net: HLLM) -> HLLM:
    """The same with weights that nobody begins with."""
    net.start()
    for parameter in net.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
    net.stale[:] = True
    net.refresh()
    return net


@pytest.mark.parametrize("opened", [False, True])
def test_a_grown_model_reads_new_texts_with_what_it_learned(opened: bool, tmp_path: Path) -> None:
    old = moved(model())
    if opened:  # for scoring: the run's item model comes back
        old.save(tmp_path)
        old = HLLM.open(old.config, Ground(ITEMS, catalog()), tmp_path).eval()
    ground, contexts = Ground(ITEMS + 7, catalog(ITEMS + 7)), some_contexts()
    more = old.grown(ground)
    assert not more.training and more.stale[ITEMS + 1 :].all()
    assert not more.stale[1 : ITEMS + 1].any()
    said = more.score(contexts)
    assert said.shape == (len(contexts), ITEMS + 7) and torch.isfinite(said).all()
    torch.testing.assert_close(said[:, :ITEMS], old.score(contexts), rtol=1e-5, atol=1e-5)
    assert torch.equal(more.features[: ITEMS + 1], old.features)
    anew = more.features[ITEMS + 1 :].clone()
    more.stale[:] = True
    more.refresh()
    torch.testing.assert_close(more.features[ITEMS + 1 :], anew)  # read by the learned item model
    torch.testing.assert_close(more.features[: ITEMS + 1], old.features, rtol=1e-4, atol=1e-5)
    step = next(NextItemBatches(some_contexts(), history=8, negatives=4).epoch(0))
    loss = more.train().loss(step)
    loss.backward()
    assert torch.isfinite(loss)
    folder = tmp_path / "grown"
    folder.mkdir()
    more.eval().save(folder)
    again = HLLM.open(more.config, ground, folder).eval()
    assert torch.equal(again.score(contexts), more.score(contexts))


def test_a_text_that_changed_is_read_anew_when_growing() -> None:
    old = moved(model())
    more = old.grown(Ground(ITEMS + 1, catalog(ITEMS + 1, {3: "something else"})))
    assert more.stale[1:].nonzero()[:, 0].tolist() == [3, ITEMS]
    more.refresh()
    assert not torch.equal(more.features[4], old.features[4])
    assert torch.equal(more.features[3], old.features[3])


def test_it_does_not_grow_smaller_or_without_texts() -> None:
    with pytest.raises(ValueError, match="fewer"):
        model().grown(Ground(ITEMS - 1, catalog(ITEMS - 1)))
    with pytest.raises(BadInput):
        model().grown(Ground(ITEMS + 1))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """(I, 6) vectors of pictures; item 3 has none."""
    made = np.random.default_rng(0).normal(size=(ITEMS, 6)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made[3] = 0
    monkeypatch.setattr(
        "tastemaker.models.picture_content.picture_vectors",
        lambda name, known: (made[: len(known.frame)], "a" * 64),
    )
    return made


def pictured(titles: dict[int, str] | None = None) -> Catalog:
    """All items but the fourth have a picture."""
    known = catalog(ITEMS, titles)
    named = pl.when(pl.col("item_id") != "i3").then(pl.col("item_id") + ".png")
    return Catalog(known.frame.with_columns(image=named))


def seeing(known: Catalog, **changes: object) -> HLLM:
    torch.manual_seed(0)
    return HLLM(replace(SMALL, pictures="shots", **changes), ITEMS, known)  # type: ignore[arg-type]


def test_pictures_stand_beside_texts_and_a_run_keeps_them(
    looks: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = seeing(pictured(), loss="softmax").eval()
    plain, width = model(), 16
    assert net.features.shape == (ITEMS + 1, width + 6)
    net.start()
    np.testing.assert_allclose(net.features[1:, width:], looks * 6**0.5, rtol=1e-6)
    assert torch.equal(net.features[:, :width], plain.table() * 0 + plain.features)
    net.train()(one_batch()).backward()
    weights = net.project.weight.grad
    assert weights is not None and weights[:, width:].abs().max() > 0
    net.eval().save(tmp_path)
    monkeypatch.undo()  # opening looks at no picture
    opened = HLLM.open(net.hllm, Ground(ITEMS, pictured()), tmp_path)
    torch.testing.assert_close(opened.score(some_contexts()), net.score(some_contexts()))


@pytest.mark.usefixtures("looks")
def test_an_item_needs_a_text_or_a_picture() -> None:
    net = seeing(pictured({5: "", 9: ""})).eval()
    table = net.table()
    assert torch.isfinite(table).all() and not torch.equal(table[6], table[10])
    with pytest.raises(BadInput) as caught:
        seeing(pictured({3: "", 5: ""}))
    assert "i3" in caught.value.what and "i5" not in caught.value.what
    with pytest.raises(BadInput):
        HLLM(SMALL, ITEMS, pictured({5: ""}))


@pytest.mark.usefixtures("looks")
def test_new_texts_keep_their_pictures() -> None:
    net = seeing(pictured()).eval()
    net.refresh()
    before = net.features.clone()
    assert net.update(pictured({4: "another title"})) == 1
    assert torch.equal(net.features[:, 16:], before[:, 16:])
    assert not torch.equal(net.features[5, :16], before[5, :16])
