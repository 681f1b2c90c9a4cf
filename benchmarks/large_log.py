"""Ten million generated interactions: read, checked, sorted and trained on for 200 steps in 4 GB.

Also P6 of the performance targets: resident bytes an interaction. Each case is a fresh process.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from tastemaker import files

ROOT = Path(__file__).parents[1]
INTERACTIONS = 10_000_000
STEPS = 200


def case(path: Path) -> dict[str, float]:
    """Read one file and train; CPU-seconds of each stage, and memory."""
    from tastemaker.data.batches import NextItemBatches
    from tastemaker.data.datasets import load
    from tastemaker.data.splits import leave_one_out
    from tastemaker.recommend.sasrec import SASRec, SASRecConfig

    torch.set_num_threads(1)
    started = time.process_time()
    log = load(path).interactions
    read = time.process_time() - started
    peak_read = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    config = SASRecConfig(loss="sampled")
    model = SASRec(config, log.num_items)
    batches = NextItemBatches(leave_one_out(log).train(), tokens=128 * 50, negatives=config.sampled)
    optimizer, started = torch.optim.AdamW(model.parameters()), time.process_time()
    for step, batch in enumerate(batches.epoch(0)):
        if step == STEPS:
            break
        optimizer.zero_grad()
        model(batch).backward()
        optimizer.step()
    return {
        "interactions": log.num_events,
        "bytes_per_interaction": log.bytes_per_event,
        "read_cpu_s": read,
        "train_cpu_s": time.process_time() - started,
        "steps": step,
        "peak_read_mb": peak_read / 1024,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Generate, measure Parquet and CSV, write results/bench-large_log.json."""
    from tastemaker.worlds.logs import write_large

    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(case(Path(sys.argv[1]))))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("parquet", "csv"):
            path = Path(folder) / f"interactions.{kind}"
            write_large(path, INTERACTIONS, users=200_000, items=50_000)
            done = subprocess.run(
                [sys.executable, __file__, str(path)], capture_output=True, text=True, check=True
            )
            found = json.loads(done.stdout)
            size = f"{found['interactions']:,} interactions from {kind}"
            for what, ours, target in (
                ("resident bytes an interaction (P6)", found["bytes_per_interaction"], 24),
                (f"peak MB: read, checked, sorted, {found['steps']} steps", found["peak_mb"], 4096),
                ("peak MB after reading", found["peak_read_mb"], None),
                ("CPU-s to read, check and sort", found["read_cpu_s"], None),
                (f"CPU-s for {found['steps']} steps", found["train_cpu_s"], None),
            ):
                met = None if target is None else bool(ours <= target)
                row = {
                    "what": f"{size}: {what}",
                    "ours": round(ours, 1),
                    "peer": None,
                    "ratio": None,
                }
                rows.append({**row, "target": target, "met": met})
            path.unlink()
    result = {"name": "large_log", "rows": rows, **_environment()}
    files.make_folder(ROOT / "results")
    files.write_json(ROOT / "results" / "bench-large_log.json", result)
    sys.stdout.write("\n".join(f"{row['what']}: {row['ours']}" for row in rows) + "\n")


def _environment() -> dict[str, object]:
    from tastemaker.config import environment

    return environment()


if __name__ == "__main__":
    main()
