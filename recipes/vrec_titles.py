"""VRec on the titles of Amazon Office with a small language model: the way of the paper, shortly.

SmolLM2-135M reads and says titles, adapters of rank 8 learn, one thought, two verifiers, a hundred
users, one seed, one epoch a stage. So little shows that the way works and what it costs; nothing is
claimed of it. The arm before training is the same model after no step.
"""

import sys
import time
from dataclasses import replace

import numpy as np
from evidence import METRICS, Evidence, size_of
from office import office
from vrec_arms import beside
from vrec_task import Task, task_of

from tastemaker.config import seed_everything
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.train.config import FitConfig

SHAPE = VRecConfig(
    language="smollm2", lora=8, language_lr=0.3, history=5, title_tokens=8, thoughts=1, targets=2,
    beams=10, verify_epochs=1, joint_epochs=1,
)  # fmt: skip
TRAINING = FitConfig(epochs=1, lr=1e-3, warmup=5, batch=2, checkpoint_every=5, patience=0)
USERS, ASKED = 100, 50


def short(toy: bool) -> Task:
    """Office with a few users to learn from and to ask, and every item in the trie."""
    whole = task_of(office(), "words", toy=False)
    few = np.arange(0, len(whole.test), len(whole.test) // (2 if toy else ASKED))
    return replace(
        whole, train=whole.train.slice(0, 4 if toy else USERS),
        valid=whole.valid.take(np.arange(min(len(few), 10))),
        test=whole.test.take(few), shape=SHAPE, training=TRAINING,
    )  # fmt: skip


def main() -> None:
    """Ask, train, ask again."""
    size = size_of(__doc__ or "")
    found = Evidence("vrec_titles", "arXiv 2603.07725", "amazon-office titles", size, [0], METRICS)
    started, task = time.process_time(), short(size == "toy")
    seed_everything(0)
    model = VRec.build(task.shape, replace(task.ground, train=task.train)).eval()
    found.add("SmolLM2 before training", task.measured(model))
    task.fitted(model, task.training, found.cache / "run")
    found.add("VREC2, SmolLM2", task.measured(model))
    named = model.recommend(task.test.contexts, 10, 10).items
    outside = int(((named < 0) | (named >= task.ground.num_items)).sum())
    found.notes.append(f"answers outside the catalogue: {outside} of {named.numel()}")
    beside(found, task, 0, SASRecConfig(history=10, dropout=0.5), 1 if size == "toy" else 40)
    found.spent(time.process_time() - started)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
