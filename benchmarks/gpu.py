"""What the checks on a GPU measured, from their output to `results/bench-gpu.json`.

    python benchmarks/gpu.py            on a machine with a GPU
    python benchmarks/gpu.py LOG …      from what `pytest -m gpu tests/test_gpu.py -s` printed there

A hundred bf16 steps of large models on 100,000 items, the first twenty left out; losses of launched
trainings beside a plain one on the CPU; and pieces as large as a GPU takes beside those of a CPU.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tastemaker import files
from tastemaker.config import environment

ROOT = Path(__file__).parents[1]
Row = dict[str, Any]


def row(what: str, ours: float, peer: float | None = None, target: float | None = None) -> Row:
    """One line; the target is a bar that the ratio is not to be above."""
    ratio = None if peer is None else round(ours / peer, 5)
    met = None if target is None or ratio is None else ratio <= target
    kept = {"what": what, "ours": ours, "peer": peer, "ratio": ratio}
    return {**kept, "target": target, "met": met}


def rows_of(line: Row) -> Iterator[Row]:
    """The lines of one measurement."""
    on = str(line["on"]).removeprefix("NVIDIA ").split()[0]
    if line["what"] == "large":
        about = f"{on}: {line['model']} {line['dim']} × {line['layers']}"
        weights = f"{line['million_weights']:g} million weights"
        yield row(f"{about}, {weights}: thousand targets/s", round(line["targets_a_second"] / 1e3))
        yield row(f"{about}: GB of memory at most", line["peak_gb"])
        yield row(f"{about}: loss of the hundredth step, of the first", *line["loss"][::-1], 1.0)
    elif line["what"] == "launched":
        for how in ("plain", "ddp", "fsdp", "plain-bf16", "ddp-bf16", "fsdp-bf16"):
            bar = 1.001 if how.endswith("bf16") else 1.0001
            what = f"{on}: loss after three steps, {how}, beside a CPU"
            yield row(what, line[how][-1], line["cpu"][-1], bar)
    elif line["what"] == "pieces":
        ours, peer = (round(line[name], 2) for name in ("large_ms", "small_ms"))
        yield row(f"{on}: ms of {line['part']} in large pieces, beside small", ours, peer, 1.0)


def printed(logs: list[str]) -> list[str]:
    """Lines of some logs, or of the checks made now."""
    if logs:
        return [line for log in logs for line in Path(log).read_text().splitlines()]
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-m", "gpu", "tests/test_gpu.py"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()


def main() -> None:
    """Read what was printed, print and write the rows."""
    found = [json.loads(line) for line in printed(sys.argv[1:]) if line.startswith('{"what"')]
    if not found:
        print("No GPU was measured; results/bench-gpu.json stays as it is.")
        return
    rows = [made for line in found for made in rows_of(line)]
    for one in rows:
        print(one["what"], one["ours"], one["ratio"] or "")
    there = {"versions": {"torch": found[0]["torch"]}}  # not what is installed here
    results = {"name": "gpu", "rows": rows, **environment(), **there}
    files.write_json(ROOT / "results" / "bench-gpu.json", results)


if __name__ == "__main__":
    main()
