"""What thoughts and answers of VRec cost: beams, the trie, thinking, training memory.

Random weights of the recipe's size but where training is named, 3,459 generated items with three
codes of 256, and users who go from group to group. One thread; CPU-milliseconds, the median of
calls that take turns. A step of beams is one pass, its softmax and its share of the trie's work;
the trie's share of decoding is all that is neither body, head, softmax nor token vectors.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import functools
import itertools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
import torch

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.batches import Batch, last
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.models import beam_search as beams
from tastemaker.models.beam_search import Named, beam_search
from tastemaker.models.causal import Causal, Prompt, branch, read
from tastemaker.models.certain import certain_search
from tastemaker.models.full_ranking import Block, blocks_of, full_ranking
from tastemaker.models.trie import Trie
from tastemaker.recommend.residual_codes import residual_codes
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

ROOT = Path(__file__).parents[1]
ITEMS, GROUPS, BEAMS, K = 3459, 100, 10, 10
CONFIG = VRecConfig(
    dim=128,
    layers=2,
    heads=2,
    history=50,
    verifiers=("category", "random"),
    verify_epochs=1,
    joint_epochs=1,
)
Row = dict[str, Any]


def row(
    what: str, ours: float, peer: float | None = None, most: float | None = None,
    least: float | None = None,
) -> Row:  # fmt: skip
    """One line: of ours over its peer, or alone, at most; or of the peer over ours at least."""
    ratio = None if peer is None else round(peer / ours if least else ours / peer, 4)
    judged = ours if ratio is None else ratio
    target, met = None, None
    if most is not None:
        target, met = f"≤ {most:g}", judged <= most
    elif least is not None:
        target, met = f"≥ {least:g}×", judged >= least
    numbers = round(ours, 4), None if peer is None else round(peer, 4)
    keys = ("what", "ours", "peer", "ratio", "target", "met")
    return dict(zip(keys, (what, *numbers, ratio, target, met), strict=True))


def world() -> Ground:
    """Items whose vectors lie in groups, and users who go from group to group."""
    ids = pl.Series([f"i{number}" for number in range(ITEMS)])
    known = {"item_id": ids, "categories": [[f"c{n % GROUPS % 25}"] for n in range(ITEMS)]}
    nulls = [None] * ITEMS
    frame = pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA)
    return Ground.of(ids, Catalog(frame), users(600, 14, 3))


def write_codes(path: Path) -> None:
    """Three codes of 256 for each item, by its vector."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(GROUPS, 32))
    vectors = centres[np.arange(ITEMS) % GROUPS] + 0.7 * rng.normal(size=(ITEMS, 32))
    codes = residual_codes(vectors.astype(np.float32), 3, 256).codes
    files.write_json(path, {f"i{number}": row for number, row in enumerate(codes.tolist())})


def users(count: int, length: int, seed: int = 0) -> Contexts:
    """Users who go from each group to the next one, most to its few popular items."""
    rng = np.random.default_rng(seed)
    groups = (rng.integers(0, GROUPS, (count, 1)) + np.arange(length)) % GROUPS
    within = (ITEMS // GROUPS * rng.random((count, length)) ** 3).astype(np.int64)
    items = (groups + GROUPS * within).astype(np.int32) + 1
    return Contexts(np.arange(count), np.arange(count + 1) * length, items.reshape(-1))


def fresh(codes: Path, thoughts: int = 2) -> VRec:
    """Random weights."""
    torch.manual_seed(0)
    return VRec.build(replace(CONFIG, codes=str(codes), thoughts=thoughts), world()).eval()


def train(net: VRec, rows: Contexts) -> None:
    """An epoch of batches of 128 events in each stage, as `tastemaker train vrec` does it."""
    config = FitConfig(epochs=1, batch=32, lr=2e-3, warmup=5, patience=0)
    fit(net, net.batches(rows, config.batch), config, lambda: {"ndcg@10": 0.0})
    net.eval()


@torch.inference_mode()
def timed(calls: dict[str, Callable[[], object]], runs: int, warm: int = 2) -> dict[str, float]:
    """Median CPU-milliseconds of each call, which take turns."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm + runs):
        for name, call in calls.items():
            began = time.process_time_ns()
            call()
            if number >= warm:
                spent[name].append((time.process_time_ns() - began) / 1e6)
    return {name: statistics.median(values) for name, values in spent.items()}


@functools.cache
def catalogue(net: VRec) -> tuple[Trie, list[Block]]:
    """What may be said."""
    trie = net.language.trie()
    return trie, blocks_of(trie)


def again(net: VRec, batch: Batch) -> Prompt:
    """The prompt as thoughts leave it, by N + 1 passes over everything that stands before."""
    x, valid = net.language.prompt(batch)
    one = valid.new_ones(len(valid), 1)
    reasoner, body = net.reasoner, net.language.body
    for _ in range(reasoner.count):
        states, _ = read(body, x, valid)
        assert reasoner.think is not None and reasoner.verifiers is not None
        thought = reasoner.verifiers(reasoner.think(states, valid)[0]).verified
        x, valid = torch.cat([x, thought[:, None]], 1), torch.cat([valid, one], 1)
    x = torch.cat([x, net.language.slot.expand(len(x), 1, -1)], 1)
    states, past = read(body, x, torch.cat([valid, one], 1))
    return Prompt(past, states[:, -1])


def found(net: VRec, prompt: Prompt, count: int = BEAMS, k: int = K) -> Named:
    """The items that beams find."""
    return beam_search(net.language.causal, catalogue(net)[0], prompt, count, k, 0.0)


class Clock:
    """CPU-milliseconds in parts of decoding, and calls of each."""

    def __init__(self) -> None:
        self.spent, self.calls = dict.fromkeys(("pass", "softmax", "vectors"), 0.0), 0

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, whose time counts."""

        def counted(*given: Any) -> Any:
            began = time.process_time_ns()
            done = work(*given)
            self.spent[name] += (time.process_time_ns() - began) / 1e6
            self.calls += name == "pass"
            return done

        return counted


@torch.inference_mode()
def decoding(net: VRec, prompt: Prompt, runs: int) -> tuple[float, float]:
    """Shares of one step, and of the trie, in a decoding."""
    found(net, prompt)
    clock, causal = Clock(), net.language.causal
    parts = replace(causal, embed=clock.around("vectors", causal.embed))
    said = clock.around("softmax", Causal.log_probs)
    total = 0.0
    with (
        mock.patch.object(beams, "branch", clock.around("pass", branch)),
        mock.patch.object(Causal, "log_probs", lambda causal, states: said(causal, states)),
    ):
        for _ in range(runs):
            began = time.process_time_ns()
            beam_search(parts, catalogue(net)[0], prompt, BEAMS, K, 0.0)
            total += (time.process_time_ns() - began) / 1e6
    passes = clock.spent["pass"] + clock.spent["vectors"]
    # The first step needs no pass: the prompt has been read.
    step = passes / clock.calls + (total - passes) / (clock.calls + runs)
    return step * runs / total, 1 - sum(clock.spent.values()) / total


def requests(nets: list[VRec], count: int, history: int, runs: int) -> Iterator[Row]:
    """Thinking and answering, for some users at a time."""
    batch = last(users(count, history), CONFIG.history)
    who = f"{count} user{'s' * (count > 1)}, {history} events"
    two = nets[2]
    with torch.inference_mode():
        prompt = two.reason(batch).prompt
        for net in nets:
            torch.testing.assert_close(again(net, batch).state, net.reason(batch).prompt.state,
                                       rtol=0, atol=1e-4)  # fmt: skip
    calls: dict[str, Callable[[], object]] = {}
    for number, net in enumerate(nets):
        calls[f"kept {number}"] = lambda net=net: found(net, net.reason(batch).prompt)  # type: ignore[misc]
        calls[f"again {number}"] = lambda net=net: found(net, again(net, batch))  # type: ignore[misc]
        calls[f"think {number}"] = lambda net=net: net.reason(batch)  # type: ignore[misc]
    calls["search"] = lambda: found(two, prompt)
    took = timed(calls, runs)
    part, share = decoding(two, prompt, 2 * runs)
    step = part * took["search"]
    for number in range(1, len(nets)):
        each = (took[f"think {number}"] - took["think 0"]) / number
        text = f"{who}: CPU-ms of each of {number} thoughts, beside a step of {BEAMS} beams"
        yield row(text, each, step, most=1.1)
    bar = 0.1 if count > 1 else None
    yield row(
        f"{who}: share of the trie in decoding of {took['search']:.2f} CPU-ms", share, most=bar
    )
    for number in range(len(nets)):
        text = f"{who}: CPU-ms of a request, N = {number}, beside full passes for each thought"
        yield row(text, took[f"kept {number}"], took[f"again {number}"])
    for number in range(1, len(nets)):
        text = f"{who}: CPU-ms of a request, N = {number}, beside N = {number - 1}"
        yield row(text, took[f"kept {number}"], took[f"kept {number - 1}"])


def together(net: VRec, runs: int) -> Iterator[Row]:
    """Sixty-four users at once, and one by one."""
    log = users(64, 10)
    halves = [log.slice(0, 32), log.slice(32, 64)]
    ones = [log.slice(row, row + 1) for row in range(64)]
    with torch.inference_mode():
        prompts = {
            name: [net.reason(last(part, CONFIG.history)).prompt for part in parts]
            for name, parts in (("batched", halves), ("looped", ones))
        }
    calls: dict[str, Callable[[], object]] = {
        "batched": lambda: [found(net, prompt) for prompt in prompts["batched"]],
        "looped": lambda: [found(net, prompt) for prompt in prompts["looped"]],
        "whole": lambda: [net.recommend(part, K, BEAMS) for part in halves],
        "each": lambda: [net.recommend(part, K, BEAMS) for part in ones],
    }
    took = timed(calls, runs, 1)
    text = "64 users: CPU-ms of beams in batches of 32, and a user at a time"
    yield row(text, took["batched"], took["looped"], least=4)
    text = "64 users: CPU-ms of requests in batches of 32, and a user at a time"
    yield row(text, took["whole"], took["each"])


def exact(net: VRec, runs: int) -> Iterator[Row]:
    """All items, and beams of which the first items are certain."""
    trie, blocks = catalogue(net)
    causal = net.language.causal
    with torch.inference_mode():
        prompt = net.reason(last(users(32, 10, 7), CONFIG.history)).prompt
    calls: dict[str, Callable[[], object]] = {
        "full": lambda: full_ranking(causal, trie, prompt, blocks, 0.0).topk(K)
    }
    counts = (10, 40, 160)
    for count in counts:
        calls[str(count)] = lambda count=count: found(net, prompt, count)  # type: ignore[misc]
    calls["certain"] = lambda: certain_search(causal, trie, prompt, blocks, BEAMS, K)
    took = timed(calls, runs, 1)
    with torch.inference_mode():
        best = full_ranking(causal, trie, prompt, blocks, 0.0).topk(K).indices
        named = {count: found(net, prompt, count) for count in counts}
        sure = certain_search(causal, trie, prompt, blocks, BEAMS, K)
    assert torch.equal(sure.items, best)
    for count in counts:
        text = f"32 users, trained: share whose first {K} are certain by {count} beams"
        yield row(text, float((named[count].certain >= K).float().mean()))
        text = f"32 users, trained: share whose first {K} are exact by {count} beams"
        yield row(text, float((named[count].items == best).all(1).float().mean()))
        text = f"32 users, trained: CPU-ms of {count} beams, beside the full ranking"
        yield row(text, took[str(count)], took["full"])
    text = f"32 users, trained: CPU-ms of beams until the first {K} are certain, beside it"
    yield row(text, took["certain"], took["full"])


@torch.inference_mode()
def illegal(net: VRec) -> tuple[float, float]:
    """Shares of answers that are no items where any code may be said: the likeliest, and ten."""
    causal, log = net.language.causal, users(256, 10, 9)
    past, state = net.reason(last(log, CONFIG.history)).prompt
    rows = len(state)
    reads, layers, states = past.valid[:, None], past.layers, state[:, None]
    scores, said = torch.zeros(rows, 1), torch.zeros(rows, 1, 0, dtype=torch.long)
    for depth in range(catalogue(net)[0].longest):
        next_said = causal.log_probs(states)
        scores, chosen = (scores[..., None] + next_said).flatten(1).topk(BEAMS)
        source = (chosen // next_said.shape[2])[..., None]
        token = chosen[..., None] % next_said.shape[2]
        said = torch.cat([said.gather(1, source.expand(-1, -1, depth)), token], 2)
        own = torch.eye(BEAMS, dtype=torch.bool).expand(rows, -1, -1)
        reads = torch.cat([reads.gather(1, source.expand(-1, -1, reads.shape[2])), own], 2)
        places = (past.places[:, None] + depth).expand(-1, BEAMS)
        states, layers = branch(net.language.body, causal.embed(token[..., 0]), places, reads,
                                layers)  # fmt: skip
    items = {tuple(c for c in codes if c >= 0) for codes in net.language.tokens[1:].tolist()}
    wrong = [
        [not any(tuple(codes[:n]) in items for n in range(1, len(codes) + 1)) for codes in one]
        for one in said.tolist()
    ]
    return float(np.mean(wrong, axis=0)[0]), float(np.mean(wrong))


def answers(net: VRec, how: str) -> Iterator[Row]:
    """Answers outside the catalogue, without a trie and with it."""
    first, ten = illegal(net)
    named = net.recommend(users(256, 10, 9), K, BEAMS).items
    outside = float(((named < 0) | (named >= ITEMS)).float().mean())
    yield row(f"{how}: share of likeliest answers that are no item, without a trie", first)
    yield row(f"{how}: share of {BEAMS} answers that are no item, without a trie", ten)
    yield row(f"{how}: the same with the trie", outside)


def memory(codes: Path) -> float:
    """MB at most of a process that trains, itself and its libraries."""
    train(fresh(codes), users(20, 60))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(codes: Path, runs: int) -> Iterator[Row]:
    """Every line."""
    nets = [fresh(codes, thoughts) for thoughts in range(5)]
    for count, history in itertools.product((1, 32), (10, 50)):
        yield from requests(nets, count, history, runs if count == 1 else max(3, runs // 4))
    yield from together(nets[2], max(2, runs // 6))
    yield from answers(nets[2], "fresh")
    train(nets[2], users(600, 14, 3))
    yield from answers(nets[2], "61 steps in each stage")
    yield from exact(nets[2], max(2, runs // 10))
    command = [sys.executable, __file__, "--memory", str(codes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    text = "GB at most of a process that trains, batch 128, 50 events, N = 2, all stages"
    yield row(text, json.loads(done.stdout) / 1024, most=2.0)


def main() -> None:
    """Measure, print and write `results/bench-vrec.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30, help="timed calls of one user")
    parser.add_argument("--memory", type=Path, help="codes: only say what training takes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.memory:
        sys.stdout.write(json.dumps(memory(given.memory)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        codes = Path(folder) / "codes.json"
        write_codes(codes)
        for one in measured(codes, given.runs):
            rows.append(one)
            print(*(value for value in one.values() if value is not None), flush=True)
    results = {"name": "vrec", "rows": rows, "load": os.getloadavg(), **environment()}
    files.write_json(ROOT / "results" / "bench-vrec.json", results)


if __name__ == "__main__":
    main()
