"""RecBole's SASRec on one thread: the steps of its trainer, or top-10 lists from full-sort scores.

Timed in training: its loader's batch, forward, loss, backward, Adam, all inside `_train_epoch`.
Timed in evaluation: its test loader's batch, `full_sort_predict` and `topk(10)`.
"""

import argparse
import contextlib
import itertools
import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import measure  # isort: skip  (first: one thread, and this file must not hide the package)

import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.sequential_recommender import SASRec
from recbole.trainer import Trainer
from recbole.utils import init_seed

NAME = "sequences"
DIFFERENCES = [
    "every prefix of a history is a row with one target, so a batch has one target a row",
    "rows are padded on the right to L and drawn at random from the prefixes of all users",
    "post-norm blocks with GELU, a layer norm on the embeddings, attention weights spelled out and"
    " dropped out too",
    "Adam without weight decay",
    "all items as classes and one for padding, scored at the last position only",
]
SAMPLED = "BPR with one uniform negative a row: it has no sampled softmax"
LISTS = (
    "seen items are not filtered (it does not filter history for sequential models); topk on its"
    " full-sort scores in place of its metrics; untrained weights"
)


def write_atomic(sequences: list[list[int]], folder: Path) -> None:
    """Write the peer's interaction file; an event's time is its place in the history."""
    (folder / NAME).mkdir()
    with (folder / NAME / f"{NAME}.inter").open("w") as file:
        file.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for user, events in enumerate(sequences):
            file.writelines(f"{user}\t{item}\t{place}\n" for place, item in enumerate(events))


def settings(args: argparse.Namespace, folder: Path) -> Config:
    """The peer's configuration; it must not see our command line, which it would read."""
    sys.argv = sys.argv[:1]
    options = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "use_gpu": False,
        "worker": 0,
        "show_progress": False,
        "seed": args.seed,
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "item_id",
        "TIME_FIELD": "timestamp",
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "MAX_ITEM_LIST_LENGTH": args.length,
        "eval_args": {
            "split": {"LS": "valid_and_test"},
            "group_by": "user",
            "order": "TO",
            "mode": "full",
        },
        "n_layers": args.layers,
        "n_heads": args.heads,
        "hidden_size": args.dim,
        "inner_size": args.inner,
        "hidden_dropout_prob": args.dropout,
        "attn_dropout_prob": args.dropout,
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "train_batch_size": args.batch,
        "eval_batch_size": args.batch,
        "learner": "adam",
        "learning_rate": 1e-3,
    }
    if args.loss == "sampled":
        options["loss_type"] = "BPR"
        options["train_neg_sample_args"] = {"distribution": "uniform", "sample_num": 1}
    return Config(model="SASRec", dataset=NAME, config_dict=options)


def timed(batches, model: SASRec, clock: measure.StepClock) -> Iterator:
    """Pass the batches on; the trainer comes back for the next one when its step is done."""
    clock.begin()
    for batch in itertools.islice(batches, clock.warmup + clock.steps):
        yield batch
        ignored = getattr(model.loss_fct, "ignore_index", -1)
        clock.step(batch[model.ITEM_SEQ], batch[model.POS_ITEM_ID] != ignored)


def train(config: Config, model: SASRec, batches, clock: measure.StepClock) -> measure.Figures:
    """Time the steps of the peer's own epoch, cut short."""
    Trainer(config, model)._train_epoch(timed(batches, model, clock), 0)
    return clock.figures() | {"differences": list(DIFFERENCES)}


def evaluate(model: SASRec, batches) -> measure.Figures:
    """Time top-10 lists for all users, whose context is all but the last event."""
    model.eval()

    def lists(count: int | None) -> int:
        users = 0
        for interaction, *_ in itertools.islice(batches, count):
            scores = model.full_sort_predict(interaction)
            scores[:, 0] = -torch.inf
            users += len(scores.topk(measure.TOP).indices)
        return users

    with torch.inference_mode():
        figures = measure.time_lists(warm_up=lambda: lists(2), lists=lambda: lists(None))
    return figures | {"differences": [*DIFFERENCES, LISTS]}


def run(args: argparse.Namespace, log: measure.Log) -> measure.Figures:
    """Let the peer prepare its data in a temporary folder, then time the part asked for."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_atomic(log.sequences, Path(folder))
        config = settings(args, Path(folder))
        init_seed(config["seed"], config["reproducibility"])
        training, _, test = data_preparation(config, create_dataset(config))
        model = SASRec(config, training.dataset).to(config["device"])
        if args.part == "evaluate":
            return evaluate(model, test)
        figures = train(config, model, training, measure.StepClock(args.warmup, args.steps))
    if args.loss == "sampled":
        figures["differences"].append(SAMPLED)
    return figures


if __name__ == "__main__":
    measure.report("RecBole", "recbole", run)
