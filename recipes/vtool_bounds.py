"""What can an edit of the image be worth to a reader that sees little, and what does it cost?

No model learns here. A fixed reader shrinks the chart to a few pixels and takes for a bar's length
how coloured its place is, so that neighbours blur into each other. A script edits the chart first:
by what the question is about, at random, in a way that changes nothing, or not at all. All of it
runs through the sandbox, the loop and the checker that a model would meet.
"""

import sys
import time

import numpy as np
from evidence import Evidence, size_of
from vtool_reader import EFFECTS, SIDE, right

from tastemaker.worlds.chart_data import ChartOptions
from tastemaker.worlds.charts import AskedOptions, asked_charts


def main() -> None:
    """Run all, compare, print."""
    size, began = size_of(__doc__ or ""), time.process_time()
    seeds, many = ([0], 60) if size == "toy" else (list(range(5)), 600)
    found = Evidence("vtool_bounds", "arXiv 2505.19255", "generated", size, seeds, ["accuracy"])
    parts: dict[str, dict[str, list[float]]] = {name: {} for name in EFFECTS}
    for seed in seeds:
        options = ChartOptions(("v_bar",), SIDE, SIDE, fewest=6, most=10, seed=seed)
        train = list(asked_charts(options, AskedOptions(), "train", many))
        test = list(asked_charts(options, AskedOptions(), "test", many))
        for name in EFFECTS:
            verdicts = right(name, train, test, seed)
            found.add(name, {"accuracy": verdicts})
            for verdict, one in zip(verdicts, test, strict=True):
                parts[name].setdefault(one.question.template, []).append(float(verdict))
    found.tables["accuracy by what is asked"] = {
        name: {kind: round(float(np.mean(some[kind])), 3) for kind in AskedOptions().templates}
        for name, some in parts.items()
    }
    for other in ("direct", "random mask", "no-op edit", "oracle outline"):
        found.relate("R1", f"a mask by the question beats: {other}", "oracle mask", other)
    found.relate("R2", "no edit beats a mask at random", "direct", "random mask")
    found.cpu_seconds = time.process_time() - began
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
