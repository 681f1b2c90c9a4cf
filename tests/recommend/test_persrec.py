"""PerSRec: the cached answer is the uncached one, and what is old is read through tokens alone."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.nn.attention import pointwise_attention
from tastemaker.nn.view import KeyValue, View
from tastemaker.recommend import hstu, persrec
from tastemaker.recommend.backbone_option import BackboneConfig
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec import Memory, PerSRec
from tastemaker.recommend.persrec_layout import Layout, allowed, columns_of, laid_out, split_rows
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tests.contracts import ITEMS, RecommenderContract, TrainableContract, some_contexts
from tests.recommend.test_backbones import ground

SMALL: dict[str, Any] = {"dim": 16, "heads": 2, "dropout": 0.0}
KINDS: dict[str, Callable[[int], BackboneConfig]] = {
    "sasrec": lambda layers: SASRecConfig(layers=layers, inner=16, **SMALL),
    "esasrec": lambda layers: ESASRecConfig(layers=layers, **SMALL),
    "hstu": lambda layers: HSTUConfig(layers=layers, head_dim=8, divisor=1, **SMALL),
    "hllm": lambda layers: HLLMConfig(layers=layers, max_tokens=4, **SMALL),
}
BOUND = {torch.float32: 1e-5, torch.float64: 1e-10}
"""Of the largest state, or of one where it is less."""
every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
both_precisions = pytest.mark.parametrize("exact", list(BOUND), ids=["float32", "float64"])


def built(kind: str, layers: int = 2, **shape: Any) -> PerSRec:
    """A model with fresh weights."""
    if kind == "hllm":
        pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    config = PerSRecConfig(KINDS[kind](layers), **shape)
    return PerSRec.build(config, ground(ITEMS))


def grown(kind: str, layers: int = 2, exact: torch.dtype = torch.float64, **shape: Any) -> PerSRec:
    """A model whose weights are so large that what is read matters.

    They are smaller where there are many layers, each of which makes rounding larger.
    """
    size = 1.5 if layers < 16 else 1.0
    net = built(kind, layers, **shape).to(exact).eval()
    with torch.no_grad():
        net.tokens.normal_()
        for part, weight in net.backbone.named_parameters():
            if weight.dim() == 2 and not part.startswith("item."):
                torch.nn.init.normal_(weight, std=size * weight.shape[1] ** -0.5)
            elif part.endswith(("position", "time")):
                torch.nn.init.normal_(weight, std=0.5)
        net.table()
    return net


def timed(*lengths: int, seed: int = 0) -> Contexts:
    """Rows of such lengths with times."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = rng.integers(1, ITEMS + 1, offsets[-1]).astype(np.int32)
    times = rng.integers(0, 10**6, offsets[-1]).cumsum()
    return Contexts(np.arange(len(lengths)), offsets, items, times)


def histories(*lengths: int, seed: int = 0) -> Batch:
    """The same as a batch, padded on the right."""
    return last(timed(*lengths, seed=seed), max(lengths) or 1)


def laid(net: PerSRec, batch: Batch) -> Batch:
    return laid_out(batch, net.layout, batch.valid.sum(1).clamp(max=net.layout.recent))


def is_recent(net: PerSRec, batch: Batch) -> Tensor:
    """(n,) of the columns of a laid-out batch."""
    return columns_of(batch) >= net.layout.length - net.layout.recent


def whole(net: PerSRec, batch: Batch) -> tuple[Tensor, Tensor]:
    """(B, R', D) states of the recent columns in one pass over everything, and which are real."""
    placed = laid(net, batch)
    columns = is_recent(net, placed)
    return net.states(placed)[:, columns], placed.valid[:, columns]


def cached(net: PerSRec, batch: Batch, memory: Memory | None = None) -> Tensor:
    old, recent = split_rows(batch, net.layout.recent)
    return net.predict(recent, net.compress(old) if memory is None else memory)


def error(one: Tensor, other: Tensor, real: Tensor) -> float:
    """Largest difference, of the largest state or of one where it is less."""
    return float(((one - other).abs().amax(2) * real).max() / one[real].abs().max().clamp(min=1))


def assert_close(one: Tensor, other: Tensor) -> None:
    bound = BOUND[one.dtype] * max(1.0, float(other.abs().max()))
    torch.testing.assert_close(one, other, rtol=0, atol=bound)


def assert_same(one: Memory, other: Memory) -> None:
    """Keys, values, places, times and states agree."""
    assert len(one.past.layers) == len(other.past.layers)
    for pair, also in zip(one.past.layers, other.past.layers, strict=True):
        for part, again in zip(pair, also, strict=True):
            assert part.abs().max() > 1e-3
            assert_close(part, again)
    assert torch.equal(one.past.position_ids, other.past.position_ids)
    assert one.past.times is not None and other.past.times is not None
    assert torch.equal(one.past.times, other.past.times)
    assert_close(one.state, other.state)


# 1. Exactness, with the guard that another user's memory answers otherwise.


@torch.no_grad()
def check_exactness(net: PerSRec, old: int, recent: int) -> None:
    exact = net.tokens.dtype
    batch = histories(old + recent, recent, max(1, recent // 2), recent + old // 2, 0)
    want, real = whole(net, batch)
    assert real.any() and want[real].abs().max() > 1e-2
    assert error(want, cached(net, batch), real) < BOUND[exact]
    if old:
        mine = net.compress(split_rows(batch, recent)[0])
        theirs = mine.rows(torch.tensor([3, 0, 1, 2, 4]))
        assert error(want, cached(net, batch, theirs), real) > 1e-2


@both_precisions
@every_kind
@pytest.mark.parametrize(
    "shape",
    [(40, 10, 4, 1), (400, 10, 1, 1), (1, 100, 4, 1), (0, 10, 1, 1), (1, 1, 1, 1), (12, 5, 4, 2)],
    ids=str,
)
def test_exactness_the_cached_answer_is_the_uncached_one(
    kind: str, shape: tuple[int, ...], exact: torch.dtype
) -> None:
    old, recent, tokens, parts = shape
    net = grown(kind, 2, exact, old=old, recent=recent, tokens=tokens, parts=parts)
    check_exactness(net, old, recent)


@both_precisions
@every_kind
def test_exactness_through_sixteen_layers(kind: str, exact: torch.dtype) -> None:
    check_exactness(grown(kind, 16, exact, old=40, recent=10, tokens=4), 40, 10)


@pytest.mark.slow
@both_precisions
@every_kind
@pytest.mark.parametrize("layers", [2, 16])
def test_exactness_over_all_shapes(kind: str, layers: int, exact: torch.dtype) -> None:
    for old, recent, tokens in itertools.product((0, 1, 40, 400), (1, 10, 100), (1, 4)):
        net = grown(kind, layers, exact, old=old, recent=recent, tokens=tokens)
        check_exactness(net, old, recent)


# 2. Several parts, compressed one after another.


def pieces(net: PerSRec, old: Batch) -> list[Batch]:
    """The old events of each part: the newest fill the last part, as in the layout."""
    layout, counts = net.layout, old.valid.sum(1).tolist()
    each, made = layout.old // layout.parts, []
    for part in range(layout.parts):
        later = (layout.parts - 1 - part) * each
        spans = [(max(0, count - later - each), max(0, count - later)) for count in counts]
        width = max(1, *(stop - start for start, stop in spans))
        valid = torch.arange(width) < torch.tensor([stop - start for start, stop in spans])[:, None]
        items, times = (torch.zeros(len(counts), width, dtype=torch.int64) for _ in range(2))
        assert old.times is not None
        for row, (start, stop) in enumerate(spans):
            items[row, : stop - start] = old.items[row, start:stop]
            times[row, : stop - start] = old.times[row, start:stop]
        made.append(Batch(items, valid, torch.arange(width), times))
    return made


@torch.no_grad()
@both_precisions
@every_kind
def test_refresh_part_by_part_is_compression_at_once(kind: str, exact: torch.dtype) -> None:
    net = grown(kind, 3, exact, old=12, recent=4, tokens=6, parts=3)
    batch = histories(16, 4, 2, 13, 9, 8, 7)
    old, recent = split_rows(batch, 4)
    memory, seen = None, []
    for part, piece in enumerate(pieces(net, old)):
        memory = net.compress(piece, memory, part)
        seen.append(memory)
        assert memory.columns == 2 * (part + 1)
    assert memory is not None
    assert_same(memory, net.compress(old))
    want, real = whole(net, batch)
    assert error(want, net.predict(recent, memory), real) < BOUND[exact]
    for part in range(3):  # the tokens of each part matter, and they are those of this user
        swapped = tuple(
            KeyValue(*(exchanged(values, part) for values in pair)) for pair in memory.past.layers
        )
        other = Memory(replace(memory.past, layers=swapped), memory.state)
        assert error(want, net.predict(recent, other), real) > 1e-2
    for one in (seen[0], seen[1]):
        with pytest.raises(ValueError, match="tokens do not stand before"):
            net.compress(old, one)


def exchanged(values: Tensor, part: int) -> Tensor:
    """(B, H, 6, K) with the two tokens of a part of the row before."""
    values = values.clone()
    values[:, :, 2 * part : 2 * part + 2] = values[:, :, 2 * part : 2 * part + 2].roll(1, 0)
    return values


# 3. The divisor of HSTU is one constant for every pass.


@torch.no_grad()
@both_precisions
def test_divisor_by_the_rows_that_ask_is_found_out(
    exact: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    config = HSTUConfig(layers=16, head_dim=8, divisor=512, **SMALL)
    net = PerSRec.build(PerSRecConfig(config, old=40, recent=10, tokens=4), ground(ITEMS))
    for part, weight in net.backbone.named_parameters():
        if part.startswith("layers."):
            weight *= 3
    net = net.to(exact).eval()
    batch = histories(50, 10, 5, 30)
    want, real = whole(net, batch)
    assert error(want, cached(net, batch), real) < BOUND[exact]
    divisors = set()

    def by_rows(qkv: Any, position: Any, time: Any, buckets: Any, divisor: Any, *also: Any) -> Any:
        divisors.add((divisor, qkv[0].shape[2]))
        return pointwise_attention(qkv, position, time, buckets, qkv[0].shape[2], *also)

    monkeypatch.setattr(hstu, "pointwise_attention", by_rows)
    want, real = whole(net, batch)
    assert error(want, cached(net, batch), real) > 100 * BOUND[torch.float32]
    assert divisors == {(512, 54), (512, 44), (512, 10)}


# 4. What is newer reads what is old through the tokens alone.


def deaf_tokens(batch: Batch, layout: Layout) -> Tensor:
    """As `allowed`, but no token reads an item."""
    tokens = layout.is_token[columns_of(batch)]
    return allowed(batch, layout) & ~(tokens[:, None] & ~tokens[None, :])


@every_kind
@pytest.mark.parametrize("parts", [1, 2])
def test_the_blocked_path_goes_through_tokens(
    kind: str, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = grown(kind, old=8, recent=3, tokens=4, parts=parts)
    batch = laid(net, histories(11, 7, 11))
    new = is_recent(net, batch)
    items = net.layout.part_of.lt(net.layout.parts) & ~net.layout.is_token
    assert items[columns_of(batch)].sum() == 8
    other = replace(batch, items=torch.where(items & batch.valid, batch.items % ITEMS + 1,
                                             batch.items))  # fmt: skip

    def probed() -> tuple[Tensor, Tensor]:
        """(B,) how much recent states change, and (B, n) their slope by each column read."""
        with torch.no_grad():
            changed = (net.states(batch) - net.states(other))[:, new].abs().amax((1, 2))
            vectors = net.backbone.embed(batch)
        vectors = vectors.clone().requires_grad_()
        lot = torch.randn(len(batch.items), int(new.sum()), SMALL["dim"], dtype=vectors.dtype)
        (net.states(batch, vectors=vectors)[:, new] * lot).sum().backward()
        assert vectors.grad is not None
        return changed, vectors.grad.abs().amax(2)

    changed, slope = probed()
    real = items & batch.valid
    assert (changed > 1e-2).all() and (slope[real] > 1e-9).all()
    assert (slope[:, net.layout.is_token] == 0).all()  # there stand tokens, not these vectors
    monkeypatch.setattr(persrec, "allowed", deaf_tokens)
    changed, slope = probed()
    assert (changed == 0).all() and (slope[real] == 0).all()
    assert (slope[:, new][batch.valid[:, new]] > 1e-9).all()


# 5. No future leak.


@torch.no_grad()
@every_kind
def test_no_future_leak_and_no_memory_of_what_is_recent(kind: str) -> None:
    net = grown(kind, old=6, recent=3, tokens=4, parts=2)
    batch = laid(net, histories(9, 9, 5))
    before = net.states(batch)
    for column in range(net.layout.length):
        if net.layout.is_token[column]:
            continue
        items, times = batch.items.clone(), batch.times
        assert times is not None
        items[:, column] = items[:, column] % ITEMS + 1
        moved = times.index_add(1, torch.tensor([column]), torch.full((3, 1), 12_345))
        after = net.states(replace(batch, items=items, times=moved))
        assert torch.equal(before[:, :column], after[:, :column])
        assert not torch.equal(before[:, column:], after[:, column:])


@torch.no_grad()
@every_kind
def test_the_memory_is_what_the_whole_pass_has_at_its_tokens(kind: str) -> None:
    net = grown(kind, old=6, recent=3, tokens=4, parts=2)
    for seed in (0, 1):  # recent items differ
        batch = histories(9, 7, 4, 9)
        recent = split_rows(histories(9, 7, 4, 9, seed=seed), 3)[1].items
        newest = batch.valid.sum(1)
        for row, count in enumerate(newest.tolist()):
            batch.items[row, count - 3 : count] = recent[row]
        memory = net.compress(split_rows(batch, 3)[0])
        placed = laid(net, batch)
        vectors = torch.where(
            net.layout.is_token[:, None],
            torch.zeros(net.layout.length, net.config.dim).double().index_put(
                (net.layout.is_token.nonzero()[:, 0],), net.tokens
            ),
            net.backbone.embed(placed),
        )  # fmt: skip
        read = net.backbone.read(
            placed, View(allow=allowed(placed, net.layout), keep=True), vectors
        )
        assert read.past is not None
        state = read.states[:, net.layout.closing[-1]]
        assert_same(memory, Memory(read.past.columns(net.layout.is_token.nonzero()[:, 0]), state))


# 6. Reductions.


@torch.no_grad()
@every_kind
def test_reductions_without_tokens_recent_items_alone_are_read(kind: str) -> None:
    net = grown(kind, old=6, recent=3, tokens=0)
    batch = histories(9, 7, 2, 3)
    want, real = whole(net, batch)
    _, recent = split_rows(batch, 3)
    alone = net.backbone.states(replace(recent, position_ids=6 + recent.position_ids))
    assert error(want, alone, real) < 1e-10
    assert error(want, cached(net, batch), real) < 1e-10
    other = split_rows(histories(9, 7, 2, 3, seed=1), 3)[0]
    assert torch.equal(cached(net, batch), cached(net, batch, net.compress(other)))


@torch.no_grad()
@every_kind
def test_reductions_without_old_items_and_tokens_it_is_the_backbone(kind: str) -> None:
    net = grown(kind, old=0, recent=5, tokens=0)
    contexts = timed(5, 3, 1, 0, 9)
    torch.testing.assert_close(net.score(contexts), net.backbone.score(contexts))
    assert net.backbone.score(contexts).abs().max() > 1e-2
    batch = histories(5, 3, 1)
    assert_close(net.states(laid(net, batch)), net.backbone.states(batch))


@torch.no_grad()
@every_kind
def test_reductions_unblocked_and_without_tokens_it_is_the_full_sequence(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = grown(kind, old=6, recent=3, tokens=0)
    batch = histories(9, 7, 2, 3)
    fewer = whole(net, batch)[0]
    monkeypatch.setattr(persrec, "allowed", lambda made, layout: real_columns(made))
    want, real = whole(net, batch)
    assert error(want, fewer, real) > 1e-2
    start = (6 - (batch.valid.sum(1) - 3)).clamp(max=6)[:, None]  # where each row's oldest stands
    full = net.backbone.states(
        replace(batch, position_ids=(start + batch.position_ids).clamp(max=8))
    )
    for row, count in enumerate(batch.valid.sum(1).tolist()):
        new = min(3, count)
        assert_close(want[row, :new], full[row, count - new : count])


def real_columns(batch: Batch) -> Tensor:
    return batch.valid[:, None, :].expand(-1, batch.items.shape[1], -1)


# 7. Padding.


@torch.no_grad()
@every_kind
def test_padding_of_the_old_part_changes_nothing(kind: str) -> None:
    net = grown(kind, old=12, recent=4, tokens=4, parts=2)
    batch = histories(16, 9, 4, 2, 11)
    want, real = whole(net, batch)
    for row in range(5):  # alone, columns that nobody fills are left out
        alone, _ = whole(net, batch.shard(row, 5))
        assert_close(alone[0], want[row, : alone.shape[1]])
    placed = laid(net, batch)
    assert not placed.valid.all()
    noise = replace(
        placed,
        items=torch.where(placed.valid, placed.items, 7),
        times=torch.where(placed.valid, placed.times, 5),  # type: ignore[arg-type]
    )
    states = net.states(noise)[:, is_recent(net, placed)]
    assert torch.equal(states, want)
    assert not net.states(placed)[~placed.valid].any()


@every_kind
def test_padding_alone_as_the_old_part_is_finite(kind: str) -> None:
    net = grown(kind, old=12, recent=4, tokens=4, parts=2)
    batch = histories(4, 2, 1, 0)
    states = net.states(laid(net, batch))
    assert torch.isfinite(states).all() and states.abs().max() > 1e-2
    states.square().sum().backward()
    for parameter in net.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()
    with torch.no_grad():
        old, _ = split_rows(batch, 4)
        for row in range(4):
            assert_same(net.compress(old).rows(slice(row, row + 1)), net.compress(old.shard(0, 4)))
        scores = net.score(timed(4, 2, 1, 0))
        assert torch.isfinite(scores).all()
        # Who has no events at all is answered by the tokens.
        assert_close(net.encode(batch)[3], net.compress(old).state[0])


# 8. Tokens learn, and are never what is to be found.


@every_kind
def test_the_gradient_reaches_every_token(kind: str) -> None:
    net = built(kind, old=6, recent=3, tokens=4, parts=2)
    (batch,) = net.batches(timed(10), 1).epoch(0)
    assert batch.valid.all()
    net(batch).backward()
    assert net.tokens.grad is not None
    assert (net.tokens.grad.abs().amax(1) > 0).all()


@every_kind
def test_tokens_do_not_compete(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing reads tokens nor asks them, no loss moves them."""
    net = built(kind, old=6, recent=3, tokens=4, parts=2)

    def unheard(batch: Batch, layout: Layout) -> Tensor:
        tokens = layout.is_token[columns_of(batch)]
        return allowed(batch, layout) & (tokens[:, None] | ~tokens[None, :])

    monkeypatch.setattr(persrec, "allowed", unheard)
    for closing in (True, False):
        net.zero_grad()
        (step,) = net.backbone.batches(timed(10), 1).epoch(0)
        step = replace(laid_out(step, net.layout, torch.tensor([3]), closing), target_count=1)
        net(step).backward()
        assert net.tokens.grad is not None
        moved = net.tokens.grad.abs().amax(1) > 0
        assert moved.any() == closing  # but for what they are asked at the end of their part
        assert not closing or moved[[1, 3]].all()


# 9. What is kept on disk: tests/recommend/test_persrec_store.py.


# 10. Determinism, and company.


@torch.no_grad()
@both_precisions
@every_kind
def test_compression_is_the_same_every_time_and_in_any_company(
    kind: str, exact: torch.dtype
) -> None:
    net = grown(kind, 2, exact, old=12, recent=4, tokens=4, parts=2)
    old = histories(12, 9, 6, 5, 1, 0)
    memory = net.compress(old)
    again = net.compress(old)
    for pair, also in zip(memory.past.layers, again.past.layers, strict=True):
        assert torch.equal(pair.keys, also.keys) and torch.equal(pair.values, also.values)
    assert torch.equal(memory.state, again.state)
    for row in range(6):
        assert_same(net.compress(old.shard(row, 6)), memory.rows(slice(row, row + 1)))
    order = torch.tensor([3, 0, 5, 2])
    some = Batch(old.items[order], old.valid[order], old.position_ids, old.times[order])  # type: ignore[index]
    assert_same(net.compress(some), memory.rows(order))


# The seams.


class PerSRecContract(RecommenderContract, TrainableContract):
    """The contract of every recommender and trainable model, where batches are laid out."""

    backbone: BackboneConfig

    def build(self, num_items: int, seed: int = 0) -> PerSRec:
        torch.manual_seed(seed)
        config = PerSRecConfig(self.backbone, old=5, recent=3, tokens=2).suited(num_items)
        return PerSRec.build(config, Ground(num_items)).eval()

    def laid(self, model: Any, batch: Batch) -> Batch:
        made = laid(model, batch)
        count = 1 if made.targets is None else int((made.targets > 0).sum())
        return replace(made, target_count=count)

    def test_the_loss_left_to_itself_is_sampled_above_20_000_items(self) -> None:
        config = replace(self.build(ITEMS).config, backbone=replace(self.backbone, loss="auto"))
        assert config.suited(20_000).inner.loss == self.few
        assert config.suited(20_001).inner.loss == "sampled"

    def test_batches_are_as_long_as_the_model_reads_and_as_large_as_asked(self) -> None:
        model, rows = self.build(ITEMS), some_contexts(200)
        for asked in (1, 3):
            batches = list(model.batches(rows, asked, 0).epoch(0))
            assert len(batches) == len(model.batches(rows, asked, 0))
            learnt = [int((batch.targets > 0).sum()) for batch in batches]  # type: ignore[operator]
            assert learnt == [batch.target_count for batch in batches]
            # Rows with more than R + 1 events have an old part, whose last token learns too.
            assert sum(learnt) == (rows.lengths - 1).sum() + self.closed(rows)
            longest = [batch for batch in batches if batch.items.shape[1] == model.layout.length]
            assert max(len(batch.items) for batch in longest) == asked
            assert max(batch.items.shape[1] for batch in batches) == model.layout.length
        one, two = (next(iter(model.batches(rows, 3, seed).epoch(0))) for seed in (0, 1))
        assert not np.array_equal(one.rows, two.rows)  # type: ignore[arg-type]

    def closed(self, rows: Contexts) -> int:
        """Pieces of at most eight targets that have more than the three that are recent."""
        whole, rest = np.divmod(rows.lengths - 1, 8)
        return int(whole.sum() + (rest > 3).sum())

    @torch.no_grad()
    def test_what_is_encoded_is_the_newest_state(self) -> None:
        model, rows = self.build(ITEMS), some_contexts()
        want, real = whole(model, last(rows, 8))
        newest = want[torch.arange(len(want)), real.sum(1) - 1]
        torch.testing.assert_close(model.encode(last(rows, 8)), newest, rtol=1e-5, atol=1e-5)
        scores = (newest @ model.item_vectors().T).float()
        torch.testing.assert_close(model.score(rows), scores, rtol=1e-5, atol=1e-5)


class TestOnSASRec(PerSRecContract):
    """On softmax attention."""

    backbone = SASRecConfig(dim=16, inner=32, dropout=0.0)


class TestOnHSTU(PerSRecContract):
    """On pointwise attention."""

    backbone = HSTUConfig(dim=16, head_dim=8, dropout=0.0, divisor=11)


@torch.no_grad()
@every_kind
def test_scores_are_those_of_the_whole_pass(kind: str) -> None:
    net = grown(kind, old=6, recent=3, tokens=4, parts=2)
    contexts = timed(9, 12, 7, 3, 1)
    want, real = whole(net, last(contexts, 9))
    state = want[torch.arange(5), real.sum(1) - 1]
    scores = state @ net.item_vectors().T
    torch.testing.assert_close(net.score(contexts), scores.float(), rtol=1e-6, atol=1e-6)
    assert len(np.unique(net.score(contexts).numpy().round(4))) > 50


@torch.no_grad()
@every_kind
def test_memory_of_some_rows_answers_them(kind: str) -> None:
    net = grown(kind, old=6, recent=3, tokens=2)
    batch = histories(9, 7, 9, 3)
    old, recent = split_rows(batch, 3)
    memory, want = net.compress(old), cached(net, batch)
    for rows in (slice(1, 3), torch.tensor([2, 0, 2])):
        some = replace(
            recent,
            items=recent.items[rows],
            valid=recent.valid[rows],
            times=recent.times[rows],  # type: ignore[index]
        )
        assert_close(net.predict(some, memory.rows(rows)), want[rows])
        assert_close(net.asked(some, memory.rows(rows)), net.encode(batch)[rows])
    shared = net.compress(old.shard(3, 4))  # a row without old events stands for all
    assert torch.equal(shared.rows(torch.tensor([0, 0])).state, shared.state)


@torch.no_grad()
def test_a_user_without_recent_events_is_answered_by_the_tokens() -> None:
    net = grown("hstu", old=6, recent=3, tokens=2)
    old = histories(6, 4)
    nothing = replace(old, items=old.items[:, :1], valid=old.valid[:, :1] & False,
                      times=old.times[:, :1], position_ids=torch.arange(1))  # type: ignore[index]  # fmt: skip
    memory = net.compress(old)
    assert torch.equal(net.asked(nothing, memory), memory.state)
    placed = laid_out(old, net.layout, torch.zeros(2, dtype=torch.int64))
    assert_close(memory.state, net.states(placed)[:, -1])
    assert memory.state.abs().max() > 1e-2


@every_kind
def test_tokens_begin_as_items_do_and_learn_at_the_full_rate(kind: str) -> None:
    net = built(kind, old=6, recent=3, tokens=40)
    items = net.backbone.embed(histories(9, 9)).detach()
    assert 0.5 < float(net.tokens.detach().std() / items.std()) < 2
    groups = net.parameter_groups()
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(listed) == sorted(id(parameter) for parameter in net.parameters())
    (share,) = {
        group["share"]
        for group in groups
        if any(parameter is net.tokens for parameter in group["params"])
    }
    assert share == 1.0
    if kind == "hllm":
        assert {group["share"] for group in groups} == {1.0, net.config.backbone.item_lr}  # type: ignore[union-attr]


# What does not fit.


def test_what_does_not_fit_is_refused() -> None:
    net = built("sasrec", old=6, recent=3, tokens=2, parts=2)
    batch = histories(9, 4)
    with pytest.raises(ValueError, match="6 old or 3 recent"):
        net.compress(batch)
    with pytest.raises(ValueError, match="3 old or 0 recent"):
        net.compress(histories(4), part=0)
    with pytest.raises(ValueError, match="3 recent"):
        net.predict(batch, net.compress(histories(6, 1)))
    with pytest.raises(ValueError, match="3 old|6 old"):
        net.encode(histories(10))
    with pytest.raises(ValueError, match="not laid out"):
        net.states(batch)
    for part in (-1, 2):
        with pytest.raises(ValueError, match="no part"):
            net.compress(histories(3), part=part)
    with pytest.raises(ValueError, match="before part 1"):
        net.compress(histories(3), part=1)
    first = net.compress(histories(3), part=0)
    with pytest.raises(ValueError, match="before part 0"):
        net.compress(histories(3), first, part=0)
    assert net.compress(histories(3), first, part=1).columns == 2


@torch.no_grad()
@every_kind
@pytest.mark.parametrize("shape", [(0, 3, 2, 1), (0, 3, 0, 1), (4, 3, 0, 2), (1, 1, 1, 1)], ids=str)
def test_the_smallest_shapes_score_and_learn(kind: str, shape: tuple[int, ...]) -> None:
    old, recent, tokens, parts = shape
    net = grown(kind, old=old, recent=recent, tokens=tokens, parts=parts)
    scores = net.score(timed(0, 1, 2, 9))
    assert scores.shape == (4, ITEMS) and torch.isfinite(scores).all()
    steps = list(net.batches(timed(0, 1, 2, 9), 2).epoch(0))
    assert steps
    for step in steps:
        with torch.enable_grad():
            loss = net(step)
            loss.backward()
        assert torch.isfinite(loss) and loss > 0


@every_kind
def test_more_items_leave_what_was_learned(kind: str) -> None:
    net = built(kind).eval()
    more = net.grown(ground(ITEMS + 5))
    assert more.num_items == ITEMS + 5
    assert torch.equal(more.tokens, net.tokens)
    batch = histories(9, 30)
    torch.testing.assert_close(more.encode(batch), net.encode(batch))
    torch.testing.assert_close(more.item_vectors()[:ITEMS], net.item_vectors())
