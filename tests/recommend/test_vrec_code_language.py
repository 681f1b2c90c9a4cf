"""Items are read as one column and said code by code, each given those before it."""

import math

import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import last
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.models.causal import Prompt, read
from tastemaker.recommend.vrec_code_language import CodeLanguage
from tests.contracts import ITEMS, some_contexts
from tests.recommend.small_vrec import SMALL

IDS = SemanticIds.of([[n % 4, n // 4 % 4] for n in range(ITEMS)])


def language(ids: SemanticIds = IDS) -> CodeLanguage:
    torch.manual_seed(0)
    return CodeLanguage(SMALL, ids).eval()


def prompt_of(net: CodeLanguage) -> tuple[Prompt, Tensor, Tensor]:
    batch = last(some_contexts(3), 8)
    x, valid = net.prompt(batch)
    states, past = read(net.body, x, valid)
    newest = valid.sum(1) - 1
    return Prompt(past, states[torch.arange(3), newest]), x, valid


def test_what_may_be_said_are_the_items() -> None:
    net = language()
    trie = net.trie()
    assert trie.num_items == ITEMS
    assert IDS.sizes == (4, 4, 2) and (net.tokens[1:] == -1).any()
    assert (net.tokens[0] == -1).all()


@torch.no_grad()
def test_a_column_is_the_sum_of_codes_and_the_items_own_vector() -> None:
    net, batch = language(), last(some_contexts(3), 8)
    net.items.weight.normal_()
    x, valid = net.prompt(batch)
    assert torch.equal(x[:, 0], net.begin.expand(3, -1)) and valid[:, 0].all()
    assert torch.equal(valid[:, 1:], batch.valid)
    item = int(batch.items[1, 0])
    codes = net.tokens[item][net.tokens[item] >= 0]
    want = net.embed(codes).sum(0) + net.scale * net.items.weight[item]
    torch.testing.assert_close(x[1, 1], want, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_codes_are_said_one_after_another_as_by_a_full_pass() -> None:
    net = language()
    prompt, x, valid = prompt_of(net)
    answers = torch.tensor([1, 17, 30])
    logits = net.answer_logits(prompt, answers)
    for row, answer in enumerate(answers.tolist()):
        codes = net.tokens[answer][net.tokens[answer] >= 0]
        given = torch.cat([x[row, valid[row]], net.embed(codes)])[None]
        states = net.body(inputs_embeds=given, use_cache=False).last_hidden_state[0]
        want = net.logits(states[-len(codes) - 1 : -1])
        torch.testing.assert_close(logits[row, : len(codes)], want, rtol=0, atol=1e-4)
        lost = -want.log_softmax(-1)[torch.arange(len(codes)), codes].mean()
        assert float(net.answer_loss(prompt, answers)[row]) == pytest.approx(float(lost), abs=1e-4)


@torch.no_grad()
def test_no_answer_costs_nothing_and_one_code_needs_none_before() -> None:
    net = language()
    prompt, *_ = prompt_of(net)
    lost = net.answer_loss(prompt, torch.tensor([0, 3, 0]))
    assert lost[0] == lost[2] == 0 and lost[1] > 0
    single = language(SemanticIds.of([[n] for n in range(ITEMS)]))
    prompt, *_ = prompt_of(single)
    answers = torch.tensor([1, 2, 3])
    want = -single.logits(prompt.state).log_softmax(-1)[torch.arange(3), answers - 1]
    torch.testing.assert_close(single.answer_loss(prompt, answers), want)


@torch.no_grad()
def test_fresh_it_is_clueless_but_not_flat() -> None:
    net = language()
    prompt, *_ = prompt_of(net)
    said = net.logits(prompt.state).log_softmax(-1)
    entropy = float(-(said.exp() * said).sum(-1).mean())
    assert 0.5 * math.log(IDS.num_tokens) < entropy < math.log(IDS.num_tokens)
