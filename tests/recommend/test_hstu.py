"""HSTU: exact to its definition, with time told apart from position, and no leak through either."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tastemaker.data.batches import Batch, NextItemBatches, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput
from tastemaker.recommend.hstu import BUCKETS, HSTU, HSTUConfig, time_buckets
from tests.contracts import ITEMS, RecommenderContract, TrainableContract, some_contexts

SMALL = HSTUConfig(
    dim=16, layers=2, heads=2, head_dim=8, dropout=0.0, history=8, loss="softmax", divisor=11
)


def timed(rows: int = 12, seed: int = 0) -> Contexts:
    """Random rows with times that grow by seconds to months, and request times after them."""
    found = some_contexts(rows, seed)
    rng = np.random.default_rng(seed)
    steps = (10 ** rng.uniform(0, 7, len(found.items))).astype(np.int64)
    times = np.concatenate([np.cumsum(part) for part in np.split(steps, found.offsets[1:-1])])
    after = times[found.offsets[1:] - 1] + 5_000
    return replace(found, times=times, request_times=after)


class TestPositionOnly(RecommenderContract, TrainableContract):
    """The contract without times."""

    def build(self, num_items: int, seed: int = 0) -> HSTU:
        torch.manual_seed(seed)
        return HSTU(replace(SMALL, time="none"), num_items).eval()


class TestWithTimes(RecommenderContract, TrainableContract):
    """The contract of the default, fed rows without times."""

    def build(self, num_items: int, seed: int = 0) -> HSTU:
        return model(seed=seed, num_items=num_items)


def model(time: str = "past", seed: int = 0, num_items: int = ITEMS) -> HSTU:
    torch.manual_seed(seed)
    return HSTU(replace(SMALL, time=time), num_items).eval()  # type: ignore[arg-type]


def slow_states(net: HSTU, batch: Batch, row: int) -> Tensor:
    """States of one row by the formulas, in float64, pair by pair."""
    config = net.config
    assert isinstance(config, HSTUConfig)
    n = int(batch.valid[row].sum())
    items = batch.items[row, :n]
    x = net.items.weight[items] * config.dim**0.5 + net.positions.weight[:n]
    asked = None if batch.times is None else batch.times[row]
    if config.time == "request":
        asked = batch.upcoming()[row]
    for layer in net.layers:
        centred = x - x.mean(-1, keepdim=True)
        xn = centred / torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + 1e-6)
        u, v, q, k = F.silu(xn @ layer.project.weight.T).chunk(4, -1)
        read = torch.zeros_like(u)
        for h in range(config.heads):
            cut = slice(h * config.head_dim, (h + 1) * config.head_dim)
            for i in range(n):
                for j in range(i + 1):
                    score = q[i, cut] @ k[j, cut] + layer.position[i - j + config.history - 1]
                    if asked is not None and batch.times is not None and config.time != "none":
                        gap = max(1, abs(int(asked[i]) - int(batch.times[row, j])))
                        bucket = min(128, int(np.floor(np.float32(np.log(gap)) / 0.301)))
                        score = score + layer.time[bucket]
                    read[i, cut] += F.silu(score) / config.divisor * v[j, cut]
        centred = read - read.mean(-1, keepdim=True)
        normed = centred / torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + 1e-6)
        x = x + (u * normed) @ layer.out.weight.T + layer.out.bias
    return x / x.norm(dim=-1, keepdim=True) / config.temperature


@torch.no_grad()
@pytest.mark.parametrize("time", ["past", "request", "none"])
def test_states_equal_a_slow_float64_reference(time: str) -> None:
    net, batch = model(time).double(), last(timed(4), 8)
    for table in net.parameters():
        torch.nn.init.normal_(table, std=0.3)
    fast = net.states(batch)
    for row in range(4):
        n = int(batch.valid[row].sum())
        assert (fast[row, :n] - slow_states(net, batch, row)).abs().max() < 1e-10 / 0.05


def test_buckets_are_logarithms_in_steps_of_a_third_of_a_decade_or_so() -> None:
    gaps = torch.tensor([0, 1, -1, 2, 10, -3600, 86_400, 10**9, 2**62])
    want = [0, 0, 0, 2, 7, 27, 37, 68, 128]
    assert time_buckets(gaps).tolist() == want
    assert time_buckets(gaps).max() < BUCKETS


@torch.no_grad()
def test_no_time_weight_equals_position_only_and_neither_equals_no_bias() -> None:
    net, batch = model(), last(timed(), 8)
    for layer in net.layers:
        layer.time.zero_()
    without = replace(batch, times=None, request_times=None)
    torch.testing.assert_close(net.states(batch), net.states(without))
    for layer in net.layers:
        layer.position.zero_()
    bare = model("none")
    bare.load_state_dict(net.state_dict())
    torch.testing.assert_close(net.states(batch), bare.states(without))


@torch.no_grad()
@pytest.mark.parametrize("time", ["past", "request"])
def test_later_times_change_no_earlier_state(time: str) -> None:
    net, batch = model(time), last(timed(), 8)
    assert batch.times is not None
    before = net.states(batch)
    for cut in range(batch.items.shape[1] - 1):
        items, times = batch.items.clone(), batch.times.clone()
        items[:, cut + 1 :] = 3
        # `request` knows when the next event happens, and nothing after it
        first = cut + 1 + (time == "request")
        times[:, first:] += 10**6
        request = None if batch.request_times is None else batch.request_times + 10**6
        inner = batch.valid[:, cut + 1]  # rows whose next event lies inside the window
        after = net.states(replace(batch, items=items, times=times, request_times=request))
        assert torch.equal(before[inner, : cut + 1], after[inner, : cut + 1])


@torch.no_grad()
def test_only_request_mode_knows_when_the_next_event_happens() -> None:
    rows = timed()
    assert rows.request_times is not None
    later = replace(rows, request_times=rows.request_times + 10**7)
    assert torch.equal(model("past").score(rows), model("past").score(later))
    assert not torch.equal(model("request").score(rows), model("request").score(later))


@torch.no_grad()
def test_without_a_request_time_the_newest_event_stands_in() -> None:
    rows = timed()
    assert rows.times is not None
    at_once = replace(rows, request_times=rows.times[rows.offsets[1:] - 1])
    unknown = replace(rows, request_times=None)
    torch.testing.assert_close(model("request").score(at_once), model("request").score(unknown))


@torch.no_grad()
def test_padding_and_company_do_not_matter_with_times() -> None:
    net, rows = model(), timed()
    together = net.score(rows)
    for row in range(len(rows)):
        alone = net.score(rows.slice(row, row + 1))
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=2e-5)  # scores reach 20


@torch.no_grad()
@pytest.mark.parametrize("time", ["past", "request"])
def test_what_is_encoded_is_the_newest_state_with_times_too(time: str) -> None:
    net, batch = model(time), last(timed(), 8)
    newest = batch.valid.sum(1) - 1
    whole = net.states(batch)[torch.arange(len(newest)), newest]
    torch.testing.assert_close(net.encode(batch), whole, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_times_that_go_backwards_and_empty_rows_are_finite() -> None:
    rows = Contexts(
        np.arange(2), np.array([0, 3, 3]), np.array([1, 2, 3], np.int32), np.array([900, 50, -7])
    )
    for time in ("past", "request"):
        assert torch.isfinite(model(time).score(rows)).all()


@torch.no_grad()
def test_scores_are_cosines_over_the_temperature() -> None:
    net = model()
    torch.testing.assert_close(net.item_vectors().norm(dim=1), torch.ones(ITEMS))
    scores = net.score(timed())
    assert scores.abs().max() <= 1 / 0.05 + 1e-4
    assert net.table()[0].abs().max() == 0


@pytest.mark.parametrize("time", ["past", "request", "none"])
def test_gradient_reaches_every_parameter_that_is_used(time: str) -> None:
    torch.manual_seed(0)
    net = HSTU(replace(SMALL, time=time), ITEMS)  # type: ignore[arg-type]
    (batch, *_) = NextItemBatches(timed(), history=8, tokens=400).epoch(0)
    net(batch).backward()
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
    assert all(layer.time.requires_grad == (time != "none") for layer in net.layers)


def test_it_learns_what_only_time_tells() -> None:
    """Item x is followed by y within a minute, by z after a day: `past` sees gaps before x only."""
    rng = np.random.default_rng(0)
    sequences, times = {}, {}
    for n in range(60):
        slow = bool(rng.integers(2))
        sequences[f"u{n}"] = ["a", "x", "z" if slow else "y", "b", "c"]
        gap = 86_400 if slow else 20
        times[f"u{n}"] = np.cumsum([0, gap, 100, 100, 100])
    log = Interactions.from_sequences(sequences)
    flat = np.concatenate([times[user] for user in log.user_ids]).astype(np.int64)
    log = replace(log, times=flat)
    rows = leave_one_out(log).train()
    assert rows.times is not None
    found = {}
    for time in ("past", "none"):
        torch.manual_seed(0)
        net = HSTU(replace(SMALL, time=time), log.num_items)  # type: ignore[arg-type]
        optimizer = torch.optim.AdamW(net.parameters(), 0.01)
        for epoch in range(60):
            for batch in NextItemBatches(rows, history=8, tokens=400).epoch(epoch):
                optimizer.zero_grad()
                net(batch).backward()
                optimizer.step()
        starts = rows.offsets[:-1]
        two = Contexts.gather(rows.users, starts, starts + 2, rows.columns)
        best = net.eval().score(two).argmax(1).numpy() + 1
        found[time] = (best == rows.items[rows.offsets[:-1] + 2]).mean()
    assert found["past"] == 1.0
    assert found["none"] < 0.8


@pytest.mark.parametrize("wrong", [{"head_dim": 0}, {"divisor": 0}, {"temperature": 0.0}])
def test_shapes_that_cannot_be_built(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong))):
        HSTUConfig(**wrong)  # type: ignore[arg-type]


def test_a_log_without_times_takes_position_only() -> None:
    config = HSTUConfig(loss="sampled")
    assert config.suited(10, times=False) == HSTUConfig(loss="sampled", time="none")
    assert config.suited(10) == config
