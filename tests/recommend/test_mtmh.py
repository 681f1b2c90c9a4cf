"""MTMH-style: two heads learn from pairs, answer for users and items, and open as they were."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from tastemaker import files
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.interactions import Interactions
from tastemaker.data.pair_batches import PairStep
from tastemaker.data.pairs import co_engaged
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models import picture_content
from tastemaker.options import RunOptions
from tastemaker.recommend.mtmh import MTMH
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.seams import Learned
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tastemaker.train.step import Trainer, adamw
from tests.contracts import ITEMS, RecommenderContract, some_contexts

SMALL = MTMHConfig(dim=16, width=16, history=8, window=2)
QUICK = FitConfig(epochs=2, warmup=1, patience=0)


def catalog(num_items: int, extra: int = 0) -> Catalog:
    """Items of three kinds, which their titles and categories name."""
    titles = [f"item{n} kind{n % 3} of{n % 3}" for n in range(num_items + extra)]
    known: dict[str, list[object]] = {
        "item_id": [f"i{n}" for n in range(num_items + extra)],
        "title": list(titles),
        "categories": [[f"k{n % 3}"] for n in range(num_items + extra)],
    }
    nulls = [None] * (num_items + extra)
    return Catalog(pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA))


def ground(num_items: int = ITEMS, extra: int = 0, train: Contexts | None = None) -> Ground:
    ids = pl.Series([f"i{n}" for n in range(num_items)])
    return Ground.of(ids, catalog(num_items, extra), train)


def model(seed: int = 0, extra: int = 0, train: Contexts | None = None, **set_to: object) -> MTMH:
    torch.manual_seed(seed)
    return MTMH.build(replace(SMALL, **set_to), ground(ITEMS, extra, train))  # type: ignore[arg-type]


class TestMTMH(RecommenderContract):
    """The contract of every recommender."""

    def build(self, num_items: int, seed: int = 0) -> MTMH:
        assert num_items == ITEMS
        return model(seed).eval()


class TestBare(RecommenderContract):
    """Nothing is known of the items."""

    def build(self, num_items: int, seed: int = 0) -> MTMH:
        torch.manual_seed(seed)
        return MTMH.build(SMALL, Ground(num_items)).eval()


def steps_of(net: MTMH, train: Contexts | None = None) -> list[PairStep]:
    return list(net.batches(train or some_contexts(30), 3).epoch(0))


def test_without_meaning_it_is_the_co_engagement_baseline_step_for_step() -> None:
    """The baseline written out: a softmax over all pairs of a step, with the same optimiser."""
    one, two = (model(relevance_weight=0.0, trade=0.0) for _ in range(2))
    trainers = [Trainer(net, adamw(net, FitConfig()), 5.0) for net in (one, two)]
    known = {tuple(pair) for pair in np.argwhere(followers(some_contexts(30)))}

    def baseline(step: PairStep) -> Tensor:
        heads = two._heads(step.items, step.dropped)
        first, then = step.triggers[step.pairs[0]], step.targets[step.pairs[1]]
        logits = heads.trigger[first] @ heads.target[then].T / SMALL.temperature
        logits = logits - step.log_q[step.pairs[1]]
        codes = step.items[first].tolist(), step.items[then].tolist()
        masked = torch.tensor([[(i, j) in known for j in codes[1]] for i in codes[0]])
        masked.fill_diagonal_(False)
        logits = logits.masked_fill(masked, -torch.inf)
        lost = -logits.log_softmax(1).diagonal()
        return (step.weights * lost).sum() / step.weights.sum()

    trainers[1].model = Called(two, baseline)
    for step in steps_of(one)[:6]:
        losses = [trainer.step(step, 1e-2) for trainer in trainers]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for (name, mine), theirs in zip(one.named_parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4, msg=name)


class Called(torch.nn.Module):
    """A module with another loss."""

    def __init__(self, net: MTMH, loss: Callable[[PairStep], Tensor]) -> None:
        super().__init__()
        self.net, self.loss = net, loss

    def forward(self, step: PairStep) -> Tensor:
        return self.loss(step)


def followers(train: Contexts) -> np.ndarray:
    """(I+1, I+1) whether one item follows another in the data."""
    pairs = co_engaged(train, SMALL.window)
    found = np.zeros((ITEMS + 1, ITEMS + 1), bool)
    found[pairs.triggers, pairs.targets] = True
    return found


def gradients(net: MTMH, *steps: PairStep) -> dict[str, Tensor]:
    net.zero_grad()
    sum(net(step) for step in steps).backward()
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def test_the_relevance_heads_loss_does_not_reach_the_engagement_head() -> None:
    step = steps_of(model())[0]
    bare = gradients(model(trade=0.0, relevance_weight=0.0), step)
    both = gradients(model(trade=0.0), step)
    for head in ("trigger", "target"):
        assert torch.equal(bare[f"network.{head}.weight"], both[f"network.{head}.weight"])
    assert not torch.equal(bare["network.ids.weight"], both["network.ids.weight"])
    assert "network.skip.weight" in both and "network.skip.weight" not in bare
    traded = gradients(model(), step)
    assert not torch.equal(bare["network.target.weight"], traded["network.target.weight"])


@pytest.mark.parametrize(
    "set_to",
    [{}, {"relevance_loss": "margin"}, {"relevance_loss": "mse", "symmetric": True},
     {"uncertainty": True}, {"uncertainty": True, "encoder": "none"}],
)  # fmt: skip
def test_shares_of_processes_add_up_to_the_whole(set_to: dict[str, object]) -> None:
    net = model(**set_to)
    step = steps_of(net)[0]
    whole = gradients(net, step)
    for world in (2, 3):
        parts = [part for rank in range(world) for part in step.parts(rank, world)]
        loss = sum(float(net(part).detach()) for part in parts)
        assert loss == pytest.approx(float(net(step).detach()), rel=1e-5)
        shared = gradients(net, *parts)
        assert shared.keys() == whole.keys()
        for name, gradient in whole.items():
            torch.testing.assert_close(shared[name], gradient, rtol=1e-3, atol=1e-6)


def walks(kinds: int = 3, users: int = 40) -> Contexts:
    """Users walk along the items of one kind: n is followed by n + 3."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(users):
        first = int(rng.integers(ITEMS - 12))
        rows.append(np.arange(first, min(first + 12, ITEMS), kinds) + 1)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Contexts(np.arange(users), offsets, np.concatenate(rows).astype(np.int32))


def trained(train: Contexts, epochs: int = 40, extra: int = 0, **set_to: object) -> MTMH:
    net = model(extra=extra, train=train, **set_to)
    training = FitConfig(epochs=epochs, lr=1e-2, warmup=1, patience=0, validate_every=epochs)
    fit(net, net.batches(train, 2), training, lambda: {"ndcg@10": 0.0})
    return net.eval()


def test_engagement_finds_what_follows_and_meaning_what_is_similar() -> None:
    train = walks()
    heads = trained(train, 120, extra=6, window=1).item_heads()
    assert len(heads.target) == ITEMS + 6
    asked = np.unique(train.items[:-1]) - 1
    asked = asked[[n + 3 in set(train.items - 1) and n < ITEMS - 3 for n in asked]]
    scores = heads.trigger[asked] @ heads.target[:ITEMS].T
    scores[np.arange(len(asked)), asked] = -np.inf
    best = scores.argmax(1)
    follows = followers(train)[asked + 1, best + 1]
    assert follows.mean() > 0.9
    # Items that the log never saw have no engagement, and are found by what is written of them.
    assert not heads.trigger[ITEMS:].any() and not heads.target[ITEMS:].any()
    kinds = np.arange(ITEMS + 6) % 3
    near = heads.relevance[asked] @ heads.relevance[ITEMS:].T
    assert (kinds[ITEMS + near.argmax(1)] == kinds[asked]).all()


def test_items_without_events_or_without_text_are_silent_in_one_head() -> None:
    net = model(train=Contexts.single([1, 2, 3]))
    heads = net.item_heads()
    assert heads.target[:3].any(1).all() and not heads.target[3:].any()
    assert heads.relevance.any(1).all()
    bare = model(encoder="none").item_heads()
    assert bare.target.any(1).all() and not bare.relevance.any()


def test_a_user_asks_by_the_newest_events_with_falling_weight() -> None:
    net = model(relevance=0.3, history=3)
    heads = net.item_heads()
    got = net.score(Contexts.single([9, 4, 7, 2])).numpy()[0]
    weights = 1 / np.log2(1 + np.array([3, 2, 1]))
    weights /= weights.sum()
    rows = np.array([4, 7, 2]) - 1
    engaging = weights @ (heads.trigger[rows] @ heads.target.T)
    similar = weights @ (heads.relevance[rows] @ heads.relevance.T)
    np.testing.assert_allclose(got, 0.7 * engaging + 0.3 * similar, atol=1e-5)
    assert not net.score(Contexts.single([])).any()


def test_vectors_are_those_of_the_newest_weights() -> None:
    net, rows = model(), some_contexts()
    before = net.score(rows)
    trainer = Trainer(net, adamw(net, FitConfig()), 5.0)
    trainer.step(steps_of(net)[0], 1e-2)
    after = net.score(rows)
    assert not torch.equal(before, after)
    net.load_state_dict(model().state_dict())
    assert torch.equal(net.score(rows), before)


def test_a_training_that_is_cut_short_goes_on_bit_for_bit(tmp_path: Path) -> None:
    weights = []
    for cuts in ([3], [1, 3]):
        out = tmp_path / str(len(cuts))
        out.mkdir()
        for epochs in cuts:
            net = model()
            training = FitConfig(epochs=epochs, warmup=3, patience=0, checkpoint_every=2)
            batches = net.batches(some_contexts(30), 1)
            fit(net, batches, training, lambda: {"ndcg@10": 0.0}, out, resume=True)
        weights.append(net.state_dict())
    assert all(torch.equal(one, weights[1][name]) for name, one in weights[0].items())


def test_what_comes_after_the_cut_changes_nothing() -> None:
    """The two last events of every user change places."""
    rng = np.random.default_rng(0)
    every = {"first": [f"i{n}" for n in range(ITEMS)]}
    some = {f"u{n}": [f"i{i}" for i in rng.permutation(ITEMS)[:9]] for n in range(12)}
    made = []
    for ends in ([-2, -1], [-1, -2]):
        cut = {user: [*row[:-2], *(row[at] for at in ends)] for user, row in some.items()}
        log = Interactions.from_sequences(every | cut)
        torch.manual_seed(0)
        train = leave_one_out(log).train()
        net = MTMH.build(SMALL, Ground.of(log.item_ids, catalog(ITEMS), train))
        fit(net, net.batches(train, 2), QUICK, lambda: {"ndcg@10": 0.0})
        made.append((log.item_ids.to_list(), net.state_dict(), net.item_heads().stored()))
    (ids, one, stored), (others, two, also) = made
    assert ids == others
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    np.testing.assert_array_equal(stored, also)


def test_learned_weights_of_the_losses_learn() -> None:
    net = trained(walks(), epochs=3, uncertainty=True)
    assert net.log_variances is not None and net.log_variances.detach().abs().min() > 1e-3


def test_a_run_trains_recommends_and_opens(small_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    results = run_recommender(RunOptions(data=str(small_data), out=str(out)), SMALL, QUICK)
    assert "mtmh" in results["models"]
    saved = open_run(out)
    user = saved.interactions.user_ids[0]
    assert saved.recommend(user, 3, model="mtmh").items
    neural: Learned = saved.models.neural
    assert isinstance(neural, MTMH)
    heads = neural.item_heads()
    assert len(heads.target) == 40
    again = open_run(out)
    rows = saved.context(user)
    assert torch.equal(saved.model("mtmh").score(rows), again.model("mtmh").score(rows))


def test_opening_needs_no_encoder_and_keeps_unseen_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("content was read")

    known = ground(extra=4)
    net = model(extra=4)
    net.save(tmp_path)
    monkeypatch.setattr("tastemaker.recommend.mtmh.content_of", refuse)
    opened = MTMH.open(SMALL, known, tmp_path)
    np.testing.assert_array_equal(opened.item_heads().stored(), net.item_heads().stored())
    assert opened.encoder_identity == net.encoder_identity != ""
    opened.save(tmp_path)
    again = MTMH.open(SMALL, known, tmp_path)
    assert torch.equal(again.score(some_contexts()), net.score(some_contexts()))


@pytest.mark.parametrize("damage", ["nan", "rows", "missing", "width", "groups"])
def test_a_damaged_run_is_refused(tmp_path: Path, damage: str) -> None:
    model().save(tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = files.load_tensors(path)
    if damage == "nan":
        tensors["heads.relevance"][3, 2] = torch.nan
    elif damage == "rows":
        tensors["heads.target"] = tensors["heads.target"][1:].clone()
    elif damage == "missing":
        del tensors["heads.trigger"]
    else:
        name = {"width": "network.project.weight", "groups": "network.groups.weight"}[damage]
        tensors[name] = torch.zeros(()) if damage == "width" else tensors[name][:, 1:].clone()
    files.save_tensors(path, tensors)
    with pytest.raises(ArtefactError):
        MTMH.open(SMALL, ground(), tmp_path)


def test_events_of_which_none_follows_another_are_refused() -> None:
    alone = Contexts(np.arange(3), np.array([0, 1, 3, 3]), np.array([4, 5, 5], np.int32))
    with pytest.raises(BadInput):
        MTMH.build(SMALL, Ground(9, train=alone))
    with pytest.raises(BadInput):
        MTMH.build(SMALL, Ground(9)).batches(alone, 4)


def test_weights_that_learnt_from_other_texts_are_refused() -> None:
    net, same = model(), model(seed=1)
    same.load_state_dict(net.state_dict())
    known = catalog(ITEMS).frame.with_columns(title=pl.col("title") + " anew")
    others = replace(ground(), catalog=Catalog(known))
    fresh = MTMH.build(net.config, others)
    with pytest.raises(ArtefactError, match="other texts"):
        fresh.load_state_dict(net.state_dict())


def test_items_that_nobody_chose_are_found_by_their_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kinds = np.arange(ITEMS + 6) % 3
    looks = np.eye(3, dtype=np.float32)[kinds] + 0.05
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    monkeypatch.setattr(picture_content, "picture_vectors", lambda *_: (looks, "b" * 64))
    net = trained(walks(), 40, extra=6, encoder="none", pictures="shots")
    heads = net.item_heads()
    near = heads.relevance[:ITEMS] @ heads.relevance[ITEMS:].T
    assert (kinds[ITEMS + near.argmax(1)] == kinds[:ITEMS]).all()
    net.save(tmp_path)
    monkeypatch.undo()  # opening looks at no picture
    opened = MTMH.open(net.config, ground(ITEMS, 6), tmp_path)
    np.testing.assert_array_equal(opened.item_heads().relevance, heads.relevance)
