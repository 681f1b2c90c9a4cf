"""VRec as a whole: it learns in stages, names items alone, and opens as it was saved."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.prefix_batches import Prefixes
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.recommend.vrec import VRec
from tastemaker.seams import Learned, Stage, Staged
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tests.contracts import ITEMS, RecommenderContract, some_contexts
from tests.recommend.small_vrec import SMALL, cycles, model

QUICK = FitConfig(epochs=1, warmup=1, patience=0, lr=0.01, batch=16, validate_every=1_000)
RATT = {"verifiers": ()}


class TestVRec(RecommenderContract):
    """The contract of every recommender."""

    def build(self, num_items: int, seed: int = 0) -> VRec:
        assert num_items == ITEMS
        return model(seed).eval()


def step_of(net: VRec, rows: int = 4) -> Prefixes:
    return next(iter(net.batches(some_contexts(40), rows).epoch(0)))


def stage(net: VRec, name: str) -> Stage:
    return next(stage for stage in net.stages() if stage.name == name)


def trained(net: VRec, rows: Contexts, config: FitConfig = QUICK) -> VRec:
    fit(net, net.batches(rows, config.batch), config, lambda: {"ndcg@10": 0.0})
    return net.train(False)


@torch.no_grad()
def one_by_one(net: VRec, contexts: Contexts) -> Tensor:
    """(B, I) log probability of every item, as teacher forcing has it, an item at a time."""
    reasoned = net.reason(last(contexts, SMALL.history))
    scores = torch.zeros(len(contexts), ITEMS)
    for item in range(1, ITEMS + 1):
        answers = torch.full((len(contexts),), item)
        logits = net.language.answer_logits(reasoned.prompt, answers).log_softmax(-1)
        wanted = net.language.tokens[item]
        for place, token in enumerate(wanted[wanted >= 0].tolist()):
            scores[:, item - 1] += logits[:, place, token]
    return scores


@pytest.mark.parametrize("thoughts", [0, 2])
def test_scores_are_log_probabilities_and_beams_find_the_same(thoughts: int) -> None:
    net, contexts = model(thoughts=thoughts).eval(), some_contexts()
    scores = net.score(contexts)
    torch.testing.assert_close(scores, one_by_one(net, contexts), rtol=0, atol=2e-5)
    assert (scores.exp().sum(1) < 1).all()
    best, order = scores.sort(dim=1, descending=True, stable=True)
    named = net.recommend(contexts, ITEMS, ITEMS)
    assert torch.equal(named.items, order)
    torch.testing.assert_close(named.scores, best, rtol=0, atol=2e-5)


def test_few_beams_name_items_and_all_others_stand_below() -> None:
    net, contexts = model(beams=5).eval(), some_contexts()
    scores, named = net.score(contexts), net.recommend(contexts, 5, 5)
    assert torch.isfinite(scores).all()
    assert torch.equal(scores.topk(5).indices, named.items)
    begun = net.language.causal.log_probs(net.reason(last(contexts, 8)).prompt.state)
    for row, items in enumerate(named.items):
        others = [item for item in range(ITEMS) if item not in items]
        want = begun[row, net.language.tokens[1:][others, 0]]
        torch.testing.assert_close(scores[row, others].diff(), want.diff())
    with pytest.raises(BadInput):
        net.recommend(contexts, 20, 10)
    assert model(beams=500).eval().score(contexts).isfinite().all()


def test_places_that_are_to_be_certain_are_those_of_all_items() -> None:
    contexts = some_contexts()
    every = model().eval().score(contexts)
    scores = model(beams=5, certain=4).eval().score(contexts)
    best, order = scores.topk(4)
    assert torch.equal(order, every.topk(4).indices)
    torch.testing.assert_close(best, every.topk(4).values, rtol=0, atol=2e-5)
    assert not torch.equal(order, model(beams=5).eval().score(contexts).topk(4).indices)


def test_it_is_what_a_run_knows_and_trains_in_stages() -> None:
    net = model()
    seam: Learned = net
    assert isinstance(net, Staged) and seam.config == SMALL
    assert [one.name for one in net.stages()] == ["reason", "verify", "joint"]
    assert [one.name for one in model(**RATT).stages()] == ["reason", "joint"]
    assert [one.name for one in model(thoughts=0).stages()] == ["reason", "joint"]


@torch.no_grad()
def test_without_feedback_it_is_the_unverified_model_bit_for_bit() -> None:
    plain, beside = model(**RATT).eval(), model(feedback=False).eval()
    known = plain.state_dict()
    beside.load_state_dict(known, strict=False)
    full = model().eval()
    full.load_state_dict(known, strict=False)
    contexts = some_contexts()
    assert torch.equal(plain.score(contexts), beside.score(contexts))
    assert not torch.equal(plain.score(contexts), full.score(contexts))
    full.enter(stage(full, "reason"))
    assert torch.equal(plain.score(contexts), full.score(contexts))


@torch.no_grad()
def test_no_thought_is_the_language_model_with_prompt_and_slot() -> None:
    net, contexts = model(thoughts=0).eval(), some_contexts(4)
    language, states = net.language, net.reason(last(contexts, 8)).prompt.state
    for row in range(4):
        items = torch.from_numpy(contexts.slice(row, row + 1).items[-8:].astype(np.int64))
        columns = [language.embed(codes[codes >= 0]).sum(0) for codes in language.tokens[items]]
        x = torch.stack([language.begin, *columns, language.slot])[None]
        state = language.body(inputs_embeds=x, use_cache=False).last_hidden_state[0, -1]
        torch.testing.assert_close(states[row], state, rtol=0, atol=1e-5)


@torch.no_grad()
def test_answers_are_not_seen_by_thoughts_and_losses_ignore_padding() -> None:
    net, step = model().eval(), step_of(model())
    assert step.targets is not None
    before = net.reason(step).thoughts
    other = replace(step, targets=step.targets % ITEMS + (step.targets > 0))
    assert all(torch.equal(a, b) for a, b in zip(before, net.reason(other).thoughts, strict=True))
    assert not torch.equal(net.loss(step), net.loss(other))
    junk = replace(step, items=torch.where(step.valid, step.items, 7))
    torch.testing.assert_close(net.loss(junk), net.loss(step), rtol=1e-5, atol=1e-6)


def test_losses_of_processes_add_up_but_for_what_entropies_may_not_do() -> None:
    net = model(gamma=0.0).eval()
    step = step_of(net)
    for one in net.stages():
        net.enter(one)
        whole = float(net.loss(step).detach())
        for world in (2, 17):
            parts = [float(net.loss(*step.parts(rank, world)).detach()) for rank in range(world)]
            assert sum(parts) == pytest.approx(whole, rel=1e-5)
    mono = model().eval()
    extra = float((mono.loss(step) - net.loss(step)).detach())
    assert extra >= 1 - 1e-5  # N − 1, and what entropies rise


def test_a_stage_trains_its_parts_alone() -> None:
    net = model()
    seen: list[dict[str, Tensor]] = [{n: p.clone() for n, p in net.state_dict().items()}]

    def validate() -> dict[str, float]:
        seen.append({n: p.clone() for n, p in net.state_dict().items()})
        return {"ndcg@10": float(len(seen))}

    fit(net, net.batches(some_contexts(40), 16), QUICK, validate)
    fresh, reasoned, verified, joint = seen
    moved = [
        {name for name in fresh if not torch.equal(a[name], b[name])}
        for a, b in ((fresh, reasoned), (reasoned, verified), (verified, joint))
    ]
    verifiers = {name for name in fresh if name.startswith("reasoner.verifiers.")}
    assert moved[0] == fresh.keys() - verifiers
    assert moved[1] == verifiers
    assert moved[2] == fresh.keys()


def test_products_in_low_precision_change_little() -> None:
    net = model()
    step = step_of(net)
    for one in net.stages():
        net.enter(one)
        net.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = net(step)
        loss.backward()
        assert float(loss.detach()) == pytest.approx(float(net.loss(step).detach()), rel=0.02)
        for parameter in net.parameters():
            assert parameter.grad is None or torch.isfinite(parameter.grad).all()


def test_the_joint_loss_reaches_every_part() -> None:
    net = model()
    net.loss(step_of(net)).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


@pytest.mark.parametrize("set_to", [{}, RATT, {"thinking": "constant", **RATT}])
def test_opened_it_scores_as_it_was_saved(set_to: dict[str, object], tmp_path: Path) -> None:
    net = trained(model(**set_to), some_contexts(15))
    net.save(tmp_path)
    again = VRec.open(net.config, Ground(ITEMS), tmp_path).eval()
    assert torch.equal(again.score(some_contexts(20, 1)), net.score(some_contexts(20, 1)))
    assert not torch.equal(net.score(some_contexts()), model(**set_to).score(some_contexts()))
    with pytest.raises(ArtefactError):
        VRec.open(net.config, Ground(ITEMS + 1), tmp_path)
    with pytest.raises(ArtefactError):
        VRec.open(replace(net.config, dim=32), Ground(ITEMS), tmp_path)


def test_the_same_seed_trains_the_same_model() -> None:
    one, same, other = (
        trained(model(seed, dropout=0.2), some_contexts(15), replace(QUICK, seed=seed))
        for seed in (3, 3, 4)
    )
    contexts = some_contexts()
    assert torch.equal(one.score(contexts), same.score(contexts))
    assert torch.equal(one.recommend(contexts, 5, 7).items, same.recommend(contexts, 5, 7).items)
    assert not torch.equal(one.score(contexts), other.score(contexts))


def test_it_learns_what_follows_what() -> None:
    net = trained(model(thoughts=1, joint_epochs=2), cycles(), replace(QUICK, epochs=8, lr=0.02))
    asked = cycles(20, 5, seed=1)
    best = net.score(asked).argmax(1) + 1
    wanted = asked.items.reshape(20, 5)[:, -1] % ITEMS + 1
    assert (best.numpy() == wanted).mean() > 0.8


def test_a_long_or_an_empty_history_is_answered() -> None:
    net = model().eval()
    nothing = Contexts(np.array([-1]), np.array([0, 0]), np.zeros(0, np.int32))
    assert torch.isfinite(net.score(nothing)).all()
    many = np.random.default_rng(0).integers(1, ITEMS + 1, 500).astype(np.int32)
    long = Contexts(np.array([0]), np.array([0, 500]), many)
    newest = Contexts(np.array([0]), np.array([0, 8]), many[-8:])
    assert torch.equal(net.score(long), net.score(newest))
    assert net.score(nothing.slice(0, 0)).shape == (0, ITEMS)
