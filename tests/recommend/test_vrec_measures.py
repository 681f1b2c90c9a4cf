"""Measures of thoughts are those of rows taken one at a time, written out."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.data.groupings import Grouping
from tastemaker.data.queries import Queries
from tastemaker.models.causal import Prompt
from tastemaker.recommend.vrec_groups import labelled
from tastemaker.recommend.vrec_loop import Reasoned
from tastemaker.recommend.vrec_measures import facts_of, rows_of
from tastemaker.recommend.vrec_verifiers import Labels, Verdict, Verifiers
from tastemaker.seams import ReasoningFacts
from tests.contracts import some_contexts
from tests.recommend.small_vrec import SMALL, model

DIM, ROWS, STEPS = 6, 23, 3
KINDS = labelled(np.array([0, 0, 1, 1, 2, -1]), lambda _: ("kind 1", "kind 2", "kind 3"))
SEVERAL = Grouping.from_labels([["a", "b"], ["b"], ["a"], ["c"], ["a", "c"], ["c"]], "items")
TRAIN = Contexts(
    np.arange(2), np.array([0, 5, 8], np.int64), np.array([3, 3, 4, 1, 6, 5, 4, 3], np.int32)
)


def labels(count: int = 2) -> list[Labels]:
    return [Labels("kind", KINDS), Labels("tag", SEVERAL)][:count]


@torch.no_grad()
def reasoned(rows: int = ROWS, verifiers: int = 2, **set_to: bool) -> Reasoned:
    torch.manual_seed(0)
    nets = [Verifiers(DIM, (3, 3)[:verifiers]) for _ in range(STEPS)]
    verdicts = tuple(net(torch.randn(rows, DIM), **set_to) for net in nets)
    prompt = Prompt(None, torch.zeros(rows, DIM))  # type: ignore[arg-type]
    return Reasoned(prompt, tuple(v.verified for v in verdicts), verdicts)


def some(whole: Reasoned, rows: Tensor) -> Reasoned:
    def cut(verdict: Verdict) -> Verdict:
        said = tuple(log_probs[rows] for log_probs in verdict.log_probs)
        parts = (part if isinstance(part, tuple) else part[rows] for part in verdict)
        return Verdict(*parts)._replace(log_probs=said)

    thoughts = tuple(thought[rows] for thought in whole.thoughts)
    return Reasoned(whole.prompt, thoughts, tuple(map(cut, whole.verdicts)))


def items(rows: int = ROWS) -> Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(1, 7, rows))


def facts(whole: Reasoned, wanted: Tensor, size: int = 100, verifiers: int = 2) -> ReasoningFacts:
    known = labels(verifiers)
    parts = torch.arange(len(wanted)).split(size)
    return facts_of([rows_of(some(whole, p), known, wanted[p]) for p in parts], known, TRAIN)


def test_measures_are_means_over_rows() -> None:
    whole, wanted = reasoned(), items()
    found = facts(whole, wanted)
    assert found.rows == ROWS
    for step, verdict in enumerate(whole.verdicts):
        moved, guidance, gates, near = [], [], [], []
        for row in range(ROWS):
            raw = verdict.thought[row].double()
            moved.append(float((verdict.verified[row] - raw).norm() / raw.norm()))
            guidance.append(float(verdict.guidance[row].norm() / raw.norm()))
            gate = verdict.gate[row].tolist()
            gates.append(-sum(share * math.log(share) for share in gate) / math.log(2))
            if step:
                a, b = whole.thoughts[step][row], whole.thoughts[step - 1][row]
                near.append(float(a @ b / a.norm() / b.norm()))
        said = found.steps[step]
        assert said.moved == pytest.approx(np.mean(moved), rel=1e-5)
        assert said.guidance == pytest.approx(np.mean(guidance), rel=1e-5)
        assert said.gate_entropy == pytest.approx(np.mean(gates), rel=1e-5)
        assert said.weight == pytest.approx(float(verdict.weight.mean()), rel=1e-5)
        assert said.cosine == (pytest.approx(np.mean(near), rel=1e-5) if step else None)
        for place, check in enumerate(said.checks):
            assert check.trust == pytest.approx(float(verdict.gate[:, place].mean()), rel=1e-5)
            want = float(verdict.uncertainty[:, place].mean())
            assert check.uncertainty == pytest.approx(want, rel=1e-5)
        assert sum(check.trust for check in said.checks) == pytest.approx(1.0)


def hits(place: int, grouping: Grouping, verdict: Verdict) -> np.ndarray:
    """Whether a verifier was right, of each row whose next item is in a group."""
    table, likeliest = grouping.membership.toarray(), verdict.log_probs[place].argmax(1)
    pairs = zip((items() - 1).tolist(), likeliest.tolist(), strict=True)
    return np.array([table[item, group] for item, group in pairs if table[item].any()])


def test_a_verifier_is_right_with_any_group_of_an_item_that_has_one() -> None:
    whole, wanted = reasoned(), items()
    found = facts(whole, wanted)
    for place, grouping in enumerate((KINDS, SEVERAL)):
        for verdict, said in zip(whole.verdicts, found.steps, strict=True):
            right = hits(place, grouping, verdict)
            assert found.verifiers[place].rows == len(right)
            check, usual = said.checks[place], found.verifiers[place].majority
            assert check.accuracy == pytest.approx(right.mean())
            assert np.mean(check.ahead) == pytest.approx(right.mean() - usual)
            assert check.ahead[0] < check.ahead[1]
        rises = np.subtract(*(hits(place, grouping, whole.verdicts[step]) for step in (-1, 0)))
        half = 1.96 * rises.std() / len(rises) ** 0.5
        want = (rises.mean() - half, rises.mean() + half)
        assert found.verifiers[place].rise == pytest.approx(want)
    assert found.verifiers[0].rows < ROWS == found.verifiers[1].rows  # item 6 is of no kind


def test_the_majority_is_that_of_training_events() -> None:
    wanted = torch.tensor([3, 4, 1, 1, 1, 6, 5])
    kind, tag = facts(reasoned(7), wanted).verifiers
    # Training has five events of kind 2, which two of the six items of a kind are of.
    assert (kind.name, kind.classes, kind.majority) == ("kind", 3, pytest.approx(2 / 6))
    # Of tags, a: 3 3 1 5 3, c: 4 6 5 4; of a are items 1, 3 and 5.
    assert (tag.name, tag.majority) == ("tag", pytest.approx(5 / 7))


@pytest.mark.parametrize("size", [1, 4, 23])
def test_means_do_not_depend_on_batches_or_padding(size: int) -> None:
    whole, wanted = reasoned(), items()
    assert facts(whole, wanted, size) == facts(whole, wanted)
    padded = torch.cat([wanted, wanted.new_zeros(5)])
    more = some(whole, torch.cat([torch.arange(ROWS), torch.zeros(5, dtype=torch.int64)]))
    assert facts(more, padded) == facts(whole, wanted)


def test_a_lone_verifier_has_no_gate_to_measure() -> None:
    found = facts(reasoned(verifiers=1), items(), verifiers=1)
    assert [step.gate_entropy for step in found.steps] == [None] * STEPS
    assert all(step.checks[0].trust == 1.0 for step in found.steps)


def test_a_thought_of_no_length_moves_nothing_and_counts_no_number() -> None:
    whole = reasoned()
    first = whole.verdicts[0]
    nothing = first.thought.clone()
    nothing[0] = 0.0
    found = facts(whole._replace(verdicts=(first._replace(thought=nothing),) * STEPS), items())
    assert all(math.isfinite(step.moved) and step.moved < 100 for step in found.steps)
    assert all(math.isfinite(step.guidance) and step.guidance < 100 for step in found.steps)


def test_what_is_not_fed_back_moves_nothing() -> None:
    for step in facts(reasoned(feedback=False), items()).steps:
        assert step.weight == step.moved == 0.0
    for step in facts(reasoned(prototypes=False), items()).steps:
        assert step.guidance == 0.0
        assert step.moved == pytest.approx(step.weight)


def test_thoughts_that_nothing_checked_have_their_likeness_alone() -> None:
    bare = reasoned()._replace(verdicts=())
    found = facts(bare, items())
    assert found.verifiers == ()
    assert all(step.checks == () and step.weight is None for step in found.steps)
    want = facts(reasoned(), items())
    assert [step.cosine for step in found.steps] == [step.cosine for step in want.steps]


def test_where_no_next_item_is_in_a_group_nothing_is_right_or_wrong() -> None:
    found = facts(reasoned(3), torch.tensor([6, 6, 6]))
    assert found.verifiers[0].rows == 0
    assert found.verifiers[0].majority is None
    assert found.steps[0].checks[0].accuracy is None
    json.dumps(asdict(found), allow_nan=False)


def test_a_model_measures_what_it_thinks_in_the_stage_it_is_in() -> None:
    contexts = some_contexts(40)
    wanted = np.arange(40, dtype=np.int32) % 30 + 1
    queries = Queries(contexts, wanted, np.arange(41, dtype=np.int64))
    net = model(train=contexts).eval()
    found = net.reasoning_facts(queries, contexts)
    with torch.no_grad():
        whole = net.reason(last(contexts, SMALL.history))
    assert (found.rows, len(found.steps)) == (40, 2)
    assert [one.name for one in found.verifiers] == list(net.known.groupings)
    for step, verdict in zip(found.steps, whole.verdicts, strict=True):
        assert step.weight == pytest.approx(float(verdict.weight.mean()), rel=1e-4)
    twice = Queries(contexts, np.repeat(wanted, 2), np.arange(0, 81, 2, dtype=np.int64))
    twice.target_items[1::2] = 30  # what comes after the next item is not asked for
    assert net.reasoning_facts(twice, contexts) == found
    net.enter(net.stages()[0])
    assert net.reasoning_facts(queries, contexts).verifiers == ()
    silent = model(thoughts=0).eval().reasoning_facts(queries, contexts)
    assert (silent.rows, silent.steps, silent.verifiers) == (40, (), ())
