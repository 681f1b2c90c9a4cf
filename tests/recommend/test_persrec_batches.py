"""Steps of PerSRec: the same from any step on, and recent events hidden as asked."""

import itertools

import pytest
import torch

from tests.contracts import some_contexts
from tests.recommend.test_persrec import built, is_recent


def test_batches_go_on_where_they_stopped_and_hide_what_is_asked() -> None:
    for hidden in (0.0, 0.4):
        net = built("sasrec", old=6, recent=5, tokens=2, hidden=hidden)
        made = net.batches(some_contexts(60, seed=2), 3, seed=4)
        steps = list(made.epoch(1))
        assert len(steps) == len(made)
        for one, other in zip(steps[3:], made.epoch(1, skip=3), strict=True):
            assert torch.equal(one.items, other.items)
            assert torch.equal(one.targets, other.targets)  # type: ignore[arg-type]
        plain = built("sasrec", old=6, recent=5, tokens=2).batches(made.contexts, 3, seed=4)
        gone = there = 0
        for step, full in zip(steps, plain.epoch(1), strict=True):
            assert step.target_count == int((step.targets > 0).sum())  # type: ignore[operator]
            lost = full.valid & ~step.valid
            assert not lost[:, ~is_recent(net, full)].any()
            assert not step.items[lost].any() and not step.targets[lost].any()  # type: ignore[index]
            assert torch.equal(step.items[~lost], full.items[~lost])
            gone += int(lost.sum())
            there += int(full.valid[:, is_recent(net, full)].sum())
        assert gone / there == pytest.approx(hidden, abs=0.08)


def test_no_step_hides_what_another_hides() -> None:
    shape = {"old": 6, "recent": 5, "tokens": 2}
    rows = some_contexts(60, seed=2)
    hiding = built("sasrec", hidden=0.5, **shape).batches(rows, 3)
    plain = built("sasrec", **shape).batches(rows, 3)
    lost = {}
    for epoch in range(2):
        pairs = zip(hiding.epoch(epoch), plain.epoch(epoch), strict=True)
        for step, (made, full) in enumerate(pairs):
            lost[epoch, step] = full.valid, full.valid & ~made.valid
    alike = 0
    for one, two in itertools.combinations(lost.values(), 2):
        if one[0].shape == two[0].shape and int((one[0] & two[0]).sum()) > 20:
            both = one[0] & two[0]
            alike += 1
            assert not torch.equal(one[1][both], two[1][both])
    assert alike > 3
