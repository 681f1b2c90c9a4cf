"""Titles are read and said by a model that was trained before; VRec over it keeps its promises."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.data.prefix_batches import Prefixes
from tastemaker.errors import BadInput
from tastemaker.models.foreign_causal import opened_apart
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_title_language import TitleLanguage
from tastemaker.recommend.vrec_titles import OPENING
from tastemaker.seams import Paced, Stage
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tests.contracts import ITEMS, some_contexts
from tests.recommend.small_titles import TITLES, config, ground, model

QUICK = FitConfig(epochs=1, warmup=1, patience=0, lr=0.01, batch=16, validate_every=1_000)
EVERY = torch.arange(1, ITEMS + 1)


def speaking(net: VRec) -> TitleLanguage:
    assert isinstance(net.language, TitleLanguage)
    return net.language


def step_of(net: VRec, rows: int = 4) -> Prefixes:
    return next(iter(net.batches(some_contexts(40), rows).epoch(0)))


def stage(net: VRec, name: str) -> Stage:
    return next(stage for stage in net.stages() if stage.name == name)


def read_as(net: VRec, batch: Any, row: int, folder: Path) -> str:
    """A prompt as text, from the vectors that the body reads."""
    x, valid = net.language.prompt(batch)
    table = speaking(net).parts.rows
    tokens = torch.cdist(x[row][valid[row]], table).argmin(1)
    text: str = opened_apart(folder)[1].tokenizer.decode(tokens)
    return text


@torch.no_grad()
def one_by_one(net: VRec, contexts: Contexts, folder: Path) -> Tensor:
    """(B, I) log probability of every title, each by one full pass of the model as it came."""
    apart, _ = opened_apart(folder)
    scores = torch.zeros(len(contexts), ITEMS)
    batch = last(contexts, net.config.history)
    x, valid = net.language.prompt(batch)
    thoughts = net.reason(batch).thoughts
    for row in range(len(contexts)):
        begun = [x[row][valid[row]], *(thought[row : row + 1] for thought in thoughts)]
        for item in range(1, ITEMS + 1):
            tokens = net.language.tokens[item]
            tokens = tokens[tokens >= 0]
            given = torch.cat([*begun, net.language.slot[None], apart.table(tokens)])[None]
            states = apart.body(inputs_embeds=given, use_cache=False).last_hidden_state[0]
            said = apart.logits(states[-len(tokens) - 1 : -1]).log_softmax(-1)
            scores[row, item - 1] = said[torch.arange(len(tokens)), tokens].sum()
    return scores


@torch.no_grad()
@pytest.mark.parametrize("set_to", [{"thoughts": 0}, {}, {"lora": 2}])
def test_scores_are_log_probabilities_and_beams_find_the_same(
    set_to: dict[str, object], talker: Path
) -> None:
    net, contexts = model(talker, **set_to), some_contexts(6)
    scores = net.score(contexts)
    torch.testing.assert_close(scores, one_by_one(net, contexts, talker), rtol=0, atol=1e-3)
    assert scores.isfinite().all()
    best, order = scores.sort(dim=1, descending=True, stable=True)
    named = net.recommend(contexts, ITEMS, ITEMS)
    assert torch.equal(named.items, order)
    torch.testing.assert_close(named.scores, best, rtol=0, atol=1e-3)
    few = net.recommend(contexts, 3, 4).items
    assert ((few >= 0) & (few < ITEMS)).all()


@torch.no_grad()
def test_twins_stand_together_and_the_more_chosen_first(talker: Path) -> None:
    chosen = np.array([5, 5, 5, 4, 4, 1, 2, 3], np.int32)
    train = Contexts(np.array([0]), np.array([0, 8]), chosen)
    net = model(talker, where=ground(train), verifiers=())
    scores = net.score(some_contexts(6))
    assert (scores[:, 4] > scores[:, 3]).all()
    torch.testing.assert_close(scores[:, 4], scores[:, 3], rtol=1e-5, atol=0)


@torch.no_grad()
def test_a_prompt_is_the_instruction_and_the_newest_titles(talker: Path) -> None:
    net = model(talker, history=3)
    chosen = Contexts(np.array([0]), np.array([0, 4]), np.array([1, 2, 3, 4], np.int32))
    text = read_as(net, last(chosen, 3), 0, talker)
    assert text == OPENING + f"{TITLES[1]}\n{TITLES[2]}\n{TITLES[3]}\n"
    nothing = Contexts(np.array([-1]), np.array([0, 0]), np.zeros(0, np.int32))
    assert read_as(net, last(nothing, 3), 0, talker) == OPENING
    assert net.score(nothing).isfinite().all()


@torch.no_grad()
def test_what_does_not_fit_is_dropped_on_the_left(talker: Path) -> None:
    net = model(talker, history=200)
    many = np.random.default_rng(0).integers(1, ITEMS + 1, 200).astype(np.int32)
    both = Contexts(np.arange(2), np.array([0, 200, 203]), np.concatenate([many, many[-3:]]))
    batch = last(both, 200)
    text = read_as(net, batch, 0, talker)
    lines = "".join(TITLES[item - 1][:12] + "\n" for item in many[-3:] if item not in (8, 11))
    assert text.startswith(OPENING) and text.endswith(lines[-20:])
    state = net.reason(batch).prompt
    longest = state.past.valid.shape[1] + net.language.tokens.shape[1]
    assert longest == 512  # thoughts, slot and an answer still fit
    alone = net.reason(last(both.slice(1, 2), 200)).prompt.state
    torch.testing.assert_close(state.state[1:], alone, rtol=0, atol=1e-4)
    assert net.score(both).isfinite().all()


@torch.no_grad()
def test_padding_and_company_make_no_difference(talker: Path) -> None:
    net, contexts = model(talker), some_contexts(8)
    together = net.score(contexts)
    for row in range(len(contexts)):
        alone = net.score(contexts.slice(row, row + 1))[0]
        torch.testing.assert_close(alone, together[row], rtol=0, atol=1e-3)
    batch = last(contexts, 8)
    before = net.reason(batch)
    junk = replace(batch, items=torch.where(batch.valid, batch.items, 7))
    assert torch.equal(net.reason(junk).prompt.state, before.prompt.state)
    moved = replace(batch, items=batch.items.flip(1), valid=batch.valid.flip(1))
    rows = batch.valid.sum(1) == 1
    after = net.reason(moved).prompt.state[rows]
    torch.testing.assert_close(after, before.prompt.state[rows], rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("thoughts", [1, 3])
def test_kept_keys_and_values_stand_for_full_passes(thoughts: int, talker: Path) -> None:
    net, batch = model(talker, thoughts=thoughts), last(some_contexts(3), 8)
    reasoned, (x, valid) = net.reason(batch), net.language.prompt(batch)
    assert net.reasoner.think is not None and net.reasoner.verifiers is not None
    for row in range(3):
        begun = x[row][valid[row]]
        for turn in range(thoughts):
            states = net.language.body(inputs_embeds=begun[None], use_cache=False)
            every = torch.ones(1, len(begun), dtype=torch.bool)
            thought, _ = net.reasoner.think(states.last_hidden_state, every)
            thought = net.reasoner.verifiers(thought).verified
            torch.testing.assert_close(reasoned.thoughts[turn][row], thought[0], rtol=0, atol=1e-4)
            begun = torch.cat([begun, thought])


@torch.no_grad()
def test_without_feedback_it_is_the_unverified_model_bit_for_bit(talker: Path) -> None:
    plain, beside = model(talker, verifiers=()), model(talker, feedback=False)
    known, full, contexts = plain.state_dict(), model(talker), some_contexts(4)
    for net in (beside, full):
        net.load_state_dict(known, strict=False)
    assert torch.equal(plain.score(contexts), beside.score(contexts))
    assert not torch.equal(plain.score(contexts), full.score(contexts))
    full.enter(stage(full, "reason"))
    assert torch.equal(plain.score(contexts), full.score(contexts))


@torch.no_grad()
def test_the_loss_is_of_the_tokens_that_are_wanted(talker: Path) -> None:
    net = model(talker)
    prompt = net.reason(last(some_contexts(5), 8)).prompt
    answers = torch.tensor([1, 4, 0, 10, 8])
    logits, wanted = net.language.answer_logits(prompt, answers), net.language.tokens[answers]
    lost = net.language.answer_loss(prompt, answers)
    for row, tokens in enumerate(wanted):
        said = tokens[tokens >= 0]
        each = -logits[row, : len(said)].log_softmax(-1)[torch.arange(len(said)), said]
        want = each.mean() if len(said) else torch.tensor(0.0)
        torch.testing.assert_close(lost[row], want, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_answers_are_not_seen_by_thoughts(talker: Path) -> None:
    net = model(talker)
    step = step_of(net)
    assert step.targets is not None
    other = replace(step, targets=step.targets % ITEMS + (step.targets > 0))
    pairs = zip(net.reason(step).thoughts, net.reason(other).thoughts, strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)
    assert not torch.equal(net.loss(step), net.loss(other))


@pytest.mark.parametrize("lora", [0, 2])
def test_a_stage_trains_its_parts_alone_and_adapters_leave_the_rest(
    lora: int, talker: Path
) -> None:
    net = model(talker, lora=lora)
    fixed = {name: kept.clone() for name, kept in net.language.named_buffers()}
    seen = [{name: p.clone() for name, p in net.state_dict().items()}]

    def validate() -> dict[str, float]:
        seen.append({name: p.clone() for name, p in net.state_dict().items()})
        return {"ndcg@10": float(len(seen))}

    fit(net, net.batches(some_contexts(40), 16), QUICK, validate)
    moved = [
        {name for name in a if not torch.equal(a[name], b[name])}
        for a, b in zip(seen[:-1], seen[1:], strict=True)
    ]
    verifiers = {name for name in seen[0] if name.startswith("reasoner.verifiers.")}
    assert moved[0] == seen[0].keys() - verifiers
    assert moved[1] == verifiers and moved[2] == seen[0].keys()
    assert all(torch.equal(kept, fixed[name]) for name, kept in net.language.named_buffers())
    adapters = {name for name in seen[0] if "lora_" in name}
    assert bool(adapters) == bool(lora)
    if lora:
        own = {name for name in seen[0] if name.startswith("language.")} - {"language.slot"}
        assert own == adapters


def test_the_joint_loss_reaches_every_part(talker: Path) -> None:
    net = model(talker, lora=2)
    with torch.no_grad():  # fresh adapters hide one of their two matrices
        for name, parameter in net.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    net.loss(step_of(net)).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_what_was_trained_before_learns_more_slowly(talker: Path) -> None:
    net = model(talker, language_lr=0.3)
    assert isinstance(net, Paced)
    rest, slow = net.parameter_groups()
    assert (rest["share"], slow["share"]) == (1.0, 0.3)
    every = {id(p) for p in net.parameters()}
    groups = [{id(p) for p in group["params"]} for group in (rest, slow)]
    assert groups[0] | groups[1] == every and not groups[0] & groups[1]
    assert id(net.language.slot) in groups[0]
    assert all(id(p) in groups[1] for p in net.language.body.parameters())


def test_it_learns_what_follows_what(talker: Path) -> None:
    rng = np.random.default_rng(0)
    items = (rng.integers(0, 10, 60)[:, None] + np.arange(6)) % 10 + 1
    train = Contexts(np.arange(60), np.arange(0, 361, 6), items.reshape(-1).astype(np.int32))
    where = ground(train, [*"abcdefghij"])
    net = model(talker, where=where, thoughts=1, verifiers=(), history=2, language_lr=1.0,
                joint_lr=0.005, joint_epochs=3)  # fmt: skip
    fit(net, net.batches(train, 12), replace(QUICK, epochs=20), lambda: {"ndcg@10": 0.0})
    asked = Contexts(np.arange(10), np.arange(11), np.arange(1, 11, dtype=np.int32))
    best = net.train(False).score(asked).argmax(1) + 1
    assert (best.numpy() == asked.items % 10 + 1).mean() >= 0.7


def test_a_model_that_reads_too_little_is_refused(llama: Path) -> None:
    long = ground(titles=[*["red shoe " * 40] * 20, *["blue"] * 10])
    with pytest.raises(BadInput, match="64 tokens"):
        model(llama, where=long, title_tokens=50)
    scores = model(llama, where=long, title_tokens=8).score(some_contexts(3))
    assert scores.isfinite().all()


def test_options_do_not_have_to_know_the_width(talker: Path) -> None:
    net = model(talker)
    assert net.config.dim == 128 and net.language.dim == 16
    assert net.reasoner.think is not None and net.reasoner.think.query.in_features == 16


def test_with_the_packaged_model_a_step_helps_and_items_alone_are_named() -> None:
    from tests.models.conftest import installed

    installed("smollm2")
    torch.manual_seed(0)
    titles = ["Alien", "Heat", "Up", "Jaws", "Frozen", "Up"]
    items = np.array([1, 2, 3, 4, 5, 6], np.int32)
    train = Contexts(np.array([0, 1]), np.array([0, 3, 6]), items)
    shape = config(Path("smollm2"), lora=4, thoughts=1, verifiers=("random",), language_lr=1.0)
    net = VRec.build(shape, ground(train, titles))
    net.enter(stage(net, "reason"))
    step = next(iter(net.batches(train, 4).epoch(0)))
    optimizer = torch.optim.AdamW(net.parameters(), 1e-4)
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        loss = net.loss(step)
        losses.append(float(loss.detach()))
        if len(losses) == 1:
            loss.backward()
            optimizer.step()
    assert losses[1] < losses[0]
    named = net.eval().recommend(train.slice(0, 1), 6, 6).items
    assert sorted(named[0].tolist()) == [0, 1, 2, 3, 4, 5]
