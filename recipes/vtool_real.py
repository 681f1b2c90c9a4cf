"""Visual tool use on real pictures: read boxes, edit, answer, check by both rules.

ChartQA (val) and TabMWP, a few pictures of each. The model is tiny, made here in minutes from
generated charts, and has never seen a real one: its accuracy shows that the path runs and nothing
else. How many pictures get boxes, and how many snippets run on them, does not depend on it. Needs
TASTEMAKER_DATA; a toy draws its own.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
from evidence import Evidence, size_of
from vtool_real_parts import ARMS, asked_by, drawn_lines, outcome_of, trained

from tastemaker.models.vlm import open_vision_model
from tastemaker.reinforce.picture_questions import PictureQuestion
from tastemaker.run.vtool_questions import QuestionConfig, gathered

MANY = 150
"""Questions of each set; reading a picture takes a second of a processor."""
METRICS = ("accuracy", "accuracy by the published rule", "tool called", "code ran", "answered")


def sets(size: str, cache: Path) -> dict[str, list[PictureQuestion]]:
    """Name → questions with boxes by reading."""
    data = Path(os.environ.get("TASTEMAKER_DATA", ""))
    named = {"ChartQA val": data / "chartqa" / "val",
             "TabMWP": data / "tabmwp" / "problems_dev1k.json"}  # fmt: skip
    if size == "toy":
        named = {"drawn": drawn_lines(cache / "drawn")}
    many = 2 if size == "toy" else MANY
    return {
        name: gathered(
            QuestionConfig(str(path), 0, many), cache / f"boxes-{path.stem}.json", lambda *_: None
        ).held_out
        for name, path in named.items()
    }


def main() -> None:
    """Train, read, ask, compare, print."""
    size, began = size_of(__doc__ or ""), time.process_time()
    if size != "toy" and not os.environ.get("TASTEMAKER_DATA"):
        sys.stdout.write("skipped: pictures are read from TASTEMAKER_DATA, which is not set\n")
        return
    found = Evidence("vtool_real", "arXiv 2505.19255", "ChartQA val and TabMWP", size, [0], METRICS)
    vision = open_vision_model(trained(found.cache / "run", size == "toy"))
    asked = sets(size, found.cache)
    every = [one for some in asked.values() for one in some]
    found.tables["pictures"] = {
        name: {"questions": len(some),
               "with boxes": sum(any(one.boxes.values()) for one in some),
               "names a picture": round(float(np.mean([sum(map(len, one.boxes.values()))
                                                       for one in some])), 1)}
        for name, some in asked.items()
    }  # fmt: skip
    rows: dict[str, dict[str, float]] = {}
    for arm in ARMS:
        values = outcome_of(asked_by(arm, vision, every), every)
        found.add(arm, values)
        start = 0
        for name, some in asked.items():
            part = slice(start, start + len(some))
            rows[f"{name}: {arm}"] = {
                metric: round(float(np.mean(values[metric][part])), 3) for metric in METRICS
            }
            start += len(some)
    found.tables["by set"] = rows
    found.notes.append("a tiny model that never saw a real picture: accuracy shows the path alone")
    called = sum(float(np.sum(values)) for values in found.values["tools"][METRICS[2]])
    found.notes.append(f"asked {len(every)} questions with tools, it called one {called:g} times")
    found.relate("V1", "code runs on boxes that were read", "scripted edit", "direct", METRICS[3])
    found.relate("V2", "its own answers are better with tools", "tools", "direct", METRICS[0])
    found.spent(time.process_time() - began)
    print(found.write())


if __name__ == "__main__":
    main()
