"""Advantages of fixed texts, of which each process holds its part: model folder, file to write."""

import json
import sys
from pathlib import Path

import torch

TEXTS = ["a", "a", "b", "a", "b", "b", "a", "\x00", "a", "b", "b", "b"]
WEIGHTS = [0.5, 1.0, 0.25]


def main(model: str, out: str) -> None:
    from accelerate import PartialState

    from tests.reinforce.taught import trainer

    one = trainer(Path(out).parent, Path(model), prompts_per_step=3, micro=4)
    state = PartialState()
    size = len(TEXTS) // state.num_processes
    mine = range(state.process_index * size, (state.process_index + 1) * size)
    rows = [{"number": n // 4, "prompt_weight": WEIGHTS[n // 4], "kind": ""} for n in mine]
    one._texts = [TEXTS[n] for n in mine]
    lengths = torch.arange(1, 13)[list(mine)]
    mask = (torch.arange(12) < lengths[:, None]).long()
    streams = one._streams(rows, {"completion_mask": mask}, 4, None, "train")
    told = {"total": streams.total.tolist(), "measured": dict(one._metrics["train"])}
    Path(f"{out}-{state.process_index}").write_text(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
