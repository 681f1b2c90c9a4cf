"""FedSSD on Fashion-MNIST: ten clients with skewed labels train convolutions on 6,000 pictures.

Settings are chosen on validation pictures with another seed. The control is FedAvg whose server
trains on the labels that FedSSD only measures credibility with. Needs TASTEMAKER_DATA.
"""

import os
import sys
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from evidence import Evidence, size_of
from fedssd_arms import METRICS, SETTINGS, beside, choose, gather
from fedssd_worlds import World
from restrain_toy import means

from tastemaker.data.idx import read_pictures
from tastemaker.federate.classifiers import Cnn
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.examples import Examples

ROUNDS = 30
METHODS = ("FedAvg", "FedProx", "FedNTD", "FedSSD", "control")
CLAIMS = (
    ("F1", "FedSSD is above FedAvg", "FedSSD", "FedAvg", "accuracy"),
    ("F1", "the control is above FedAvg", "control", "FedAvg", "accuracy"),
    ("F1", "FedSSD is above the control", "FedSSD", "control", "accuracy"),
    ("F2", "it is above FedProx", "FedSSD", "FedProx", "accuracy"),
    ("F2", "the control is above FedProx", "control", "FedProx", "accuracy"),
    ("F3", "it is above FedNTD", "FedSSD", "FedNTD", "accuracy"),
    ("F3", "the control is above FedNTD", "control", "FedNTD", "accuracy"),
    ("F4", "it is above weights by example alone", "FedSSD", "sample only", "accuracy"),
)


@lru_cache
def garments(many: int) -> Examples:
    """The first pictures of the training file."""
    folder = Path(os.environ["TASTEMAKER_DATA"]) / "fashion-mnist"
    read = read_pictures(folder, "train")
    inputs = torch.from_numpy(read.images[:many] / np.float32(255))
    return Examples(inputs, torch.from_numpy(read.labels[:many]))


def world(toy: bool) -> World:
    """6,000 pictures to train on, of which 1,000 choose the settings first, and 2,000 to test."""
    pool, test, validation = (600, 100, 100) if toy else (6_000, 2_000, 1_000)
    every = partial(garments, pool + test)
    return World(every, Cnn(channels=(8, 16)), test=test, validation=validation)


def main() -> None:
    """Choose, train, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds, rounds = ([0], 1) if toy else ([0, 1, 2], ROUNDS)
    found = Evidence("fedssd_fashion", "arXiv 2504.14694", "Fashion-MNIST", size, seeds, METRICS)
    local = LocalConfig(epochs=2)
    settings = {
        name: [replace(arm, rounds=rounds, local=local) for arm in SETTINGS[name]]
        for name in METHODS
    }
    fashion = world(toy)
    best, found.tables = choose(found, fashion, settings, [10])
    gather(found, fashion, best | {"sample only": beside(best)["sample only"]})
    for key, claim, above, below, metric in CLAIMS:
        found.relate(key, claim, above, below, metric)
    ends = {arm: float(means(found, arm, "accuracy").mean()) for arm in found.values}
    found.notes.append(f"the best arm ends at {max(ends.values()):.3f}")
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
