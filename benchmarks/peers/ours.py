"""Our own side of the same cases: training steps, or top-10 lists for all users, on one thread.

Timed in training: building a batch, forward, loss, backward, clipping, AdamW.
Timed in evaluation: the whole of `evaluate`, which also ranks the target with and without the
items seen.
"""

import argparse

import measure  # isort: skip  (first: one thread)

import numpy as np
import torch

from tastemaker.data.ground import Ground
from tastemaker.data.interactions import Interactions
from tastemaker.data.prefetch import prefetch
from tastemaker.data.splits import Split, leave_one_out
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.nn.next_item import NextItemModel
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.recommend.backbones import build
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.sasrec import SASRecConfig

DIFFERENCES = {
    "sasrec": ["whole histories in chunks of L, of like length in a batch", "gradients clipped"],
    "esasrec": ["LiGR blocks: gates and a SwiGLU of width 4·d in place of the FFN"],
    "hstu": ["pointwise attention of one head of width d, position bias, no FFN"],
}


def shape(args: argparse.Namespace) -> NextItemConfig:
    """The model asked for, in the benchmark's shapes."""
    shared = {
        "dim": args.dim,
        "layers": args.layers,
        "history": args.length,
        "dropout": args.dropout,
        "loss": args.loss,
        "negatives": args.negatives,
    }
    if args.model == "hstu":
        return HSTUConfig(**shared, head_dim=args.dim, time="none")
    if args.model == "esasrec":
        return ESASRecConfig(**shared, heads=args.heads)
    return SASRecConfig(**shared, heads=args.heads, inner=args.inner)


def opened(args: argparse.Namespace, log: measure.Log) -> tuple[Split, NextItemModel]:
    """The split, and a model with fresh weights."""
    rows = {str(at): [str(i) for i in events] for at, events in enumerate(log.sequences)}
    cuts = leave_one_out(Interactions.from_sequences(rows))
    return cuts, build(shape(args), Ground(cuts.interactions.num_items))


def train(args: argparse.Namespace, log: measure.Log) -> measure.Figures:
    """Time the training steps."""
    cuts, model = opened(args, log)
    return stepped(args, cuts, model) | {"differences": DIFFERENCES[args.model]}


def stepped(args: argparse.Namespace, cuts: Split, model: NextItemModel) -> measure.Figures:
    """Train for the steps asked for."""
    batches = model.batches(cuts.train(), args.batch)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, (0.9, 0.98), weight_decay=0.0)
    clock = measure.StepClock(args.warmup, args.steps)
    clock.begin()
    for batch in prefetch(batch for number in range(100) for batch in batches.epoch(number)):
        optimizer.zero_grad(set_to_none=True)
        for part in batch.parts(small=True):
            model(part).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        clock.step(batch.items, batch.targets > 0)
        if clock.done == args.warmup + args.steps:
            break
    return clock.figures()


def lists(args: argparse.Namespace, log: measure.Log) -> measure.Figures:
    """Time top-10 lists for all users, whose context is all but the last event."""
    cuts, model = opened(args, log)
    queries, options = cuts.queries("test"), EvalOptions((measure.TOP,))
    few = queries.take(np.arange(2 * args.batch))
    figures = measure.time_lists(
        warm_up=lambda: evaluate(model.eval(), few, options),
        lists=lambda: len(evaluate(model.eval(), queries, options).lists),
    )
    return figures | {"differences": ["ranks and ties of the target are counted as well"]}


def rounded(args: argparse.Namespace, log: measure.Log) -> measure.Figures:
    """The same in bf16 after a short training, and the share of lists that stay what they were."""
    cuts, model = opened(args, log)
    stepped(args, cuts, model)
    queries, options = cuts.queries("test"), EvalOptions((measure.TOP,))
    exact = evaluate(model.eval(), queries, options).lists
    few = queries.take(np.arange(2 * args.batch))
    with torch.autocast("cpu", torch.bfloat16):
        found = evaluate(model, queries, options).lists
        figures = measure.time_lists(
            warm_up=lambda: evaluate(model, few, options),
            lists=lambda: len(evaluate(model, queries, options).lists),
        )
    same_items = (np.sort(found, 1) == np.sort(exact, 1)).all(1)
    return figures | {
        "lists_equal": float((found == exact).all(1).mean()),
        "lists_of_the_same_items": float(same_items.mean()),
        "differences": ["encoder and scores in bf16"],
    }


PARTS = {"train": train, "evaluate": lists, "bf16": rounded}

if __name__ == "__main__":
    measure.report("Tastemaker", "tastemaker", lambda args, log: PARTS[args.part](args, log))
