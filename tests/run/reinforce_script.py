"""A small reinforcement in a process of its own: model folder, run folder, answers of a file."""

import sys
from pathlib import Path

import torch


def main(model: str, out: str, steps: str) -> None:
    torch.set_num_threads(1)
    from tastemaker.reinforce.learning import LearningConfig
    from tastemaker.reinforce.restrain import RestrainConfig
    from tastemaker.reinforce.signals import SignalConfig
    from tastemaker.run import reinforce as job
    from tastemaker.run.reinforce_results import ReinforceConfig
    from tests.reinforce.taught import SMALL, first_letter
    from tests.run.test_reinforce import PROMPTS, no_page

    job.write_page = no_page  # type: ignore[assignment]
    learning = LearningConfig(**SMALL | {"steps": int(steps), "save_every": 1, "beta": 0.01})
    signals = SignalConfig(restrain=RestrainConfig(kappa=2))
    config = ReinforceConfig(model, "restrain", 2, learning, signals, base_n=4)
    resume = Path(out, "config.json").exists()
    job.reinforce(config, PROMPTS, None, first_letter, out, resume)


if __name__ == "__main__":
    main(*sys.argv[1:])
