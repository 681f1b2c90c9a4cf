"""RecTools' SASRec on one thread: its Lightning training steps, or `recommend(k=10)` for all users.

Timed in training: collating a batch, forward, loss, backward, Adam, and Lightning's own loop.
Timed in evaluation: the whole call, from a table of interactions to a table of filtered lists.
"""

import argparse
import logging
import warnings

import measure  # isort: skip  (first: one thread, and this file must not hide the package)

import numpy as np
import pandas as pd  # noqa: TID251  (the peer takes and returns pandas tables)
import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.transformers.net_blocks import PreLNTransformerLayers
from rectools.models.nn.transformers.sasrec import SASRecTransformerLayers

DIFFERENCES = [
    "training sees only the newest L+1 events of a user, one row a user, padded on the left to L",
    "attention weights are dropped out too; the causal mask is passed as a tensor",
    "Adam with betas (.9, .98), no weight decay, Lightning's loop included",
    "classes: the items of the training events and one for padding; padded positions score too",
]
PRE_NORM = (
    "PreLNTransformerLayers in place of its SASRec layers, whose FFN width is fixed to d; no final"
    " layer norm, a third dropout at the end of each block"
)
OWN_LAYERS = (
    "its own SASRec layers (asked for by --inner = --dim): FFN width d, ReLU, only queries"
    " normalised before attention, residuals from the normalised input"
)
SAMPLED = (
    "sampled softmax: uniform negatives drawn for each position ({} of them, not shared in the"
    " batch), no correction, hits on the target kept"
)
LISTS = (
    "recommend() maps ids, groups a table of interactions and returns a table of lists with scores;"
    " weights after 2 training steps; torch's fast path for attention is off, in the peer's favour:"
    " only the pre-norm layers take it, and it is 1.4 times slower"
)


class Stopwatch(Callback):
    """Hands the start of training and every finished step to the clock."""

    def __init__(self, warmup: int, steps: int) -> None:
        self.clock = measure.StepClock(warmup, steps)

    def on_train_start(self, trainer, module) -> None:
        """Begin before the first batch is built."""
        self.clock.begin()

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        """Count the targets that the loss neither ignores (id 0) nor weighs with 0."""
        self.clock.step(batch["x"], (batch["y"] != 0) & (batch["yw"] != 0))


def trainer(warmup: int, steps: int) -> Trainer:
    """A silent CPU trainer of so many steps."""
    return Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=-1,
        max_steps=warmup + steps,
        callbacks=[Stopwatch(warmup, steps)],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def table(sequences: list[list[int]]) -> Dataset:
    """The peer's data set; an event's time is its place in the history."""
    lengths = [len(events) for events in sequences]
    places = np.concatenate([np.arange(length) for length in lengths])
    columns = {
        Columns.User: np.repeat(np.arange(len(sequences)), lengths),
        Columns.Item: np.concatenate(sequences),
        Columns.Weight: 1.0,
        Columns.Datetime: pd.to_datetime(places, unit="s"),
    }
    return Dataset.construct(pd.DataFrame(columns))


def layers(args: argparse.Namespace) -> dict:
    """The blocks with the FFN width asked for."""
    if args.inner == args.dim:
        return {"transformer_layers_type": SASRecTransformerLayers}
    return {
        "transformer_layers_type": PreLNTransformerLayers,
        "transformer_layers_kwargs": {"ff_factors_multiplier": args.inner // args.dim},
    }


def fit(args: argparse.Namespace, log: measure.Log, warmup: int, steps: int) -> SASRecModel:
    """Train for so many steps on all but each user's last two events."""
    model = SASRecModel(
        n_blocks=args.layers,
        n_heads=args.heads,
        n_factors=args.dim,
        dropout_rate=args.dropout,
        session_max_len=args.length,
        loss="softmax" if args.loss == "softmax" else "sampled_softmax",
        n_negatives=args.negatives,
        lr=1e-3,
        batch_size=args.batch,
        get_trainer_func=trainer,
        get_trainer_func_kwargs={"warmup": warmup, "steps": steps},
        recommend_batch_size=args.batch,
        recommend_torch_device="cpu",
        **layers(args),
    )
    return model.fit(table(log.without_last(2)))


def differences(args: argparse.Namespace) -> list[str]:
    """How this work differs from the shapes that the benchmark fixes."""
    blocks = OWN_LAYERS if args.inner == args.dim else PRE_NORM
    sampled = [SAMPLED.format(args.negatives)] if args.loss == "sampled" else []
    return [*DIFFERENCES, blocks, *sampled]


def train(args: argparse.Namespace, log: measure.Log) -> measure.Figures:
    """Time the training steps."""
    model = fit(args, log, args.warmup, args.steps)
    (stopwatch,) = (call for call in model.fit_trainer.callbacks if isinstance(call, Stopwatch))
    return stopwatch.clock.figures() | {"differences": differences(args)}


def evaluate(args: argparse.Namespace, log: measure.Log) -> measure.Figures:
    """Time top-10 lists for all users, whose context is all but the last event."""
    model = fit(args, log, 1, 1)
    torch.backends.mha.set_fastpath_enabled(False)
    contexts = table(log.without_last(1))
    everyone = np.arange(len(log.sequences))

    def lists(users: np.ndarray) -> int:
        found = model.recommend(users, contexts, k=measure.TOP, filter_viewed=True)
        return found[Columns.User].nunique()

    figures = measure.time_lists(
        warm_up=lambda: lists(everyone[: 2 * args.batch]), lists=lambda: lists(everyone)
    )
    return figures | {"differences": [*differences(args), LISTS]}


def run(args: argparse.Namespace, log: measure.Log) -> measure.Figures:
    """Check the shapes, seed and silence the peer, then time the part asked for."""
    if args.inner % args.dim:
        raise SystemExit("--inner must be a multiple of --dim")
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    seed_everything(args.seed)
    return (train if args.part == "train" else evaluate)(args, log)


if __name__ == "__main__":
    measure.report("RecTools", "rectools", run)
