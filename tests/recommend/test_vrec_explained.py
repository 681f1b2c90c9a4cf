"""What is said of VRec's thoughts is what it computed, row by row, in names of groups."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_explained import LIKELIEST
from tests.contracts import ITEMS, some_contexts
from tests.recommend.small_vrec import SMALL, model

NOTHING = Contexts(np.array([-1]), np.array([0, 0]), np.zeros(0, np.int32))


@pytest.fixture(scope="module")
def net() -> VRec:
    return model(classes=4).eval()


@torch.no_grad()
def test_numbers_are_those_that_the_model_read_on_with(net: VRec) -> None:
    contexts = some_contexts(7)
    verdicts = net.reason(last(contexts, SMALL.history)).verdicts
    thoughts = net.thoughts(contexts)
    assert [len(of_row) for of_row in thoughts] == [2] * 7
    for row, of_row in enumerate(thoughts):
        for thought, verdict in zip(of_row, verdicts, strict=True):
            r, verified = verdict.thought[row], verdict.verified[row]
            assert thought.weight == pytest.approx(float(verdict.weight[row]), abs=1e-6)
            moved = float((verified - r).norm() / r.norm())
            assert thought.moved == pytest.approx(moved, abs=1e-6)
            assert [said.verifier for said in thought.said] == ["text", "collaborative"]
            for number, said in enumerate(thought.said):
                for value, column in (
                    (said.entropy, verdict.entropies),
                    (said.uncertainty, verdict.uncertainty),
                    (said.trust, verdict.gate),
                ):
                    assert value == pytest.approx(float(column[row, number]), abs=1e-6)
                shares = verdict.log_probs[number][row].exp()
                names = net.known.groupings[said.verifier].names
                by_name = dict(zip(names, shares.tolist(), strict=True))
                assert len(said.groups) == min(LIKELIEST, len(names))
                assert [share for _, share in said.groups] == pytest.approx(
                    sorted(by_name.values(), reverse=True)[:LIKELIEST], abs=1e-6
                )
                for name, share in said.groups:
                    assert share == pytest.approx(by_name[name], abs=1e-6)


def test_what_is_said_holds_together(net: VRec) -> None:
    for of_row in net.thoughts(some_contexts(5)):
        for thought in of_row:
            assert sum(said.trust for said in thought.said) == pytest.approx(1, abs=1e-6)
            drawn = sum(said.trust * said.uncertainty for said in thought.said)
            assert thought.weight == pytest.approx(drawn, abs=1e-6)
            for said in thought.said:
                most = math.log(net.known.groupings[said.verifier].num_groups)
                assert said.uncertainty == pytest.approx(said.entropy / most, abs=1e-6)


def test_a_row_is_explained_alike_in_every_batch(net: VRec) -> None:
    contexts = some_contexts(70)
    items = torch.arange(140).reshape(70, 2) % ITEMS + 1
    thoughts, found = net.thoughts(contexts), net.considered(contexts, items)
    assert len(thoughts) == len(found) == 70
    for row in (0, 31, 32, 69):
        alone = contexts.slice(row, row + 1)
        for one, other in zip(net.thoughts(alone)[0], thoughts[row], strict=True):
            assert one.weight == pytest.approx(other.weight, abs=1e-6)
            assert one.moved == pytest.approx(other.moved, abs=1e-5)
            for said, again in zip(one.said, other.said, strict=True):
                assert [name for name, _ in said.groups] == [name for name, _ in again.groups]
                assert said.entropy == pytest.approx(again.entropy, abs=1e-5)
        for one_item, other_item in zip(
            net.considered(alone, items[row : row + 1])[0], found[row], strict=True
        ):
            assert one_item == pytest.approx(other_item, abs=1e-6)


@torch.no_grad()
def test_an_item_has_the_probability_of_its_own_groups(net: VRec) -> None:
    contexts, items = some_contexts(3), torch.tensor([[4, 0], [9, 1], [30, 2]])
    verdict = net.reason(last(contexts, SMALL.history)).verdicts[-1]
    found = net.considered(contexts, items)
    assert found[0][1] == {}
    for row in range(3):
        expected = {}
        for number, name in enumerate(SMALL.verifiers):
            grouping = net.known.groupings[name]
            for group in np.flatnonzero(grouping.membership.toarray()[int(items[row, 0]) - 1]):
                share = float(verdict.log_probs[number][row, group].exp())
                expected[f"{name}: {grouping.names[group]}"] = share
        assert found[row][0] == pytest.approx(expected, abs=1e-6)


@torch.no_grad()
def test_an_item_of_several_groups_has_them_all() -> None:
    net = model(verifiers=("category",)).eval()
    found = net.considered(some_contexts(1), torch.tensor([[1]]))[0][0]
    assert set(found) == {"category: all", "category: k0"}


def test_nothing_is_said_where_nothing_checks() -> None:
    net = model(verifiers=()).eval()
    thoughts = net.thoughts(some_contexts(2))
    assert [len(of_row) for of_row in thoughts] == [2, 2]
    assert all(one.said == () and one.weight == one.moved == 0 for row in thoughts for one in row)
    assert net.considered(some_contexts(2), torch.ones(2, 1, dtype=torch.long)) == [[{}], [{}]]


def test_without_thoughts_there_is_nothing_to_show() -> None:
    net = model(thoughts=0).eval()
    assert net.thoughts(some_contexts(2)) == [(), ()]
    assert net.considered(some_contexts(2), torch.ones(2, 1, dtype=torch.long)) == [[{}], [{}]]


def test_without_feedback_thoughts_stay_and_verifiers_are_heard() -> None:
    ((thought, _),) = model(feedback=False).eval().thoughts(some_contexts(1))
    assert thought.weight == thought.moved == 0
    assert all(said.entropy > 0 for said in thought.said)


def test_an_empty_history_is_thought_about_and_no_row_is_none(net: VRec) -> None:
    (of_row,) = net.thoughts(NOTHING)
    text = json.dumps([asdict(thought) for thought in of_row], allow_nan=False)
    assert len(json.loads(text)) == 2
    assert net.thoughts(NOTHING.slice(0, 0)) == []


@torch.no_grad()
def test_a_thought_of_no_length_moves_by_nothing() -> None:
    net = model().eval()
    assert net.reasoner.think is not None
    net.reasoner.think.value.weight.zero_()
    net.reasoner.think.value.bias.zero_()
    (thoughts,) = net.thoughts(some_contexts(1))
    assert [thought.moved for thought in thoughts] == [0.0, 0.0]


@torch.no_grad()
def test_equals_are_named_in_the_order_of_groups_and_know_nothing() -> None:
    net = model(classes=3).eval()
    assert net.reasoner.verifiers is not None
    for parameter in net.reasoner.verifiers.parameters():
        parameter.zero_()
    ((thought, _),) = net.thoughts(some_contexts(1))
    for said in thought.said:
        assert tuple(name for name, _ in said.groups) == net.known.groupings[said.verifier].names
        assert said.uncertainty == pytest.approx(1) and said.trust == pytest.approx(0.5)
    assert thought.weight == pytest.approx(1)
