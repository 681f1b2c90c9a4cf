"""Training, evaluation and memory on ML-1M at length 200, against RecTools and RecBole.

Every case is a fresh process on one thread that prints one JSON object; peers run in their own
environments under `runs/peers`, made from the pinned files beside their scripts. Ours and a peer
alternate, so that both see the same load; the median of the pair ratios is reported with minimum
and maximum. An interrupted benchmark goes on where it stopped. A peer that cannot be installed or
fails is reported as not measured.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.datasets import names

ROOT = Path(__file__).parents[1]
PEERS = {"rectools": "rectools-0.19.0", "recbole": "recbole-1.2.1"}
FEW = ["--users", "1000", "--warmup", "1", "--steps", "2"]
"""RecBole's steps take seconds and all of ML-1M seven gigabytes; a step costs the same on fewer."""
Figures = dict[str, Any]


def interpreter(peer: str) -> str:
    """Python of a peer's environment, installed where it is missing."""
    if peer == "ours":
        return sys.executable
    folder = ROOT / "runs" / "peers" / PEERS[peer]
    python = folder / "bin" / "python"
    if not python.is_file():
        pins = ROOT / "benchmarks" / "peers" / f"{peer}.txt"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "torch==2.13.0"], check=True)
        subprocess.run([*pip, "-r", str(pins)], check=True)
    return str(python)


def measured(peer: str, *options: str) -> Figures:
    """One case in a fresh process; `{"error": …}` where it fails."""
    script = ROOT / "benchmarks" / "peers" / f"{peer}.py"
    data = names()["ml-1m"] / "sequences.txt.gz"
    one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    env = os.environ | one
    if peer == "ours":
        env |= {"PYTHONPATH": str(ROOT)}
    else:
        env.pop("PYTHONPATH", None)
    try:
        command = [interpreter(peer), str(script), "--data", str(data), *options]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    except (OSError, subprocess.CalledProcessError) as error:
        return {"error": str(error)}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    found: Figures = json.loads(done.stdout)
    shown = ("targets_per_cpu_s", "users_per_cpu_s", "peak_rss_mb", "gemm_gflops")
    print(peer, *options, {key: found[key] for key in shown}, flush=True)
    return found


def flops_per_target(figures: Figures) -> float:
    """Forward and backward of SASRec (performance §3); classes are all items or the negatives."""
    s = figures["shapes"]
    classes = s["items"] if s["loss"] == "softmax" else s["negatives"]
    block = 4 * s["dim"] ** 2 + 2 * s["dim"] * s["inner"]
    work: float = 6 * (s["layers"] * block + classes * s["dim"])
    return work + 12 * s["layers"] * s["length"] * s["dim"]


def row(what: str, mine: list[Figures], theirs: list[Figures], key: str, target: float | None,
        ) -> Figures:  # fmt: skip
    """Medians of both sides and of their pair ratios."""
    errors = [one["error"] for one in (*mine, *theirs) if "error" in one]
    if errors:
        shown = f"not measured: {errors[0]}"
        return {"what": what, "ours": None, "peer": shown, "ratio": None, "target": target,
                "met": None}  # fmt: skip
    ratios = [a[key] / b[key] for a, b in zip(mine, theirs, strict=True)]
    middle = statistics.median(ratios)
    return {
        "what": what,
        "ours": round(statistics.median(one[key] for one in mine)),
        "peer": round(statistics.median(one[key] for one in theirs)),
        "ratio": f"{middle:.1f} ({min(ratios):.1f}–{max(ratios):.1f})",
        "target": f"≥ {target}" if target else None,
        "met": None if target is None else middle >= target,
    }


def alone(what: str, value: float, limit: float | None = None) -> Figures:
    """A row without a peer."""
    met = None if limit is None else value <= limit
    shown = None if limit is None else f"≤ {limit:g}"
    return {"what": what, "ours": round(value, 3), "peer": None, "ratio": None, "target": shown,
            "met": met}  # fmt: skip


def main() -> None:
    """Run the pairs and write results/bench-backbones.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    slow = ["--warmup", "5", "--steps", "3"]  # still more than 20 CPU-seconds timed
    short = ["--warmup", "5", "--steps", "12"]
    sampled = ["--loss", "sampled", "--negatives", "512"]
    kept = ROOT / "runs" / "bench-backbones.json"
    cases: dict[str, list[Figures]] = files.read_json(kept) if kept.is_file() else {}

    def add(number: int, name: str, peer: str, *options: str) -> None:
        done = cases.setdefault(name, [])
        if len(done) <= number:
            failed = bool(done) and "error" in done[-1]
            done.append(done[-1] if failed else measured(peer, *options))
            files.write_json(kept, cases)

    for number in range(pairs):
        add(number, "rectools", "rectools", *slow)
        for model in ("sasrec", "esasrec", "hstu"):
            add(number, model, "ours", "--model", model, *short)
            add(number, f"{model} sampled", "ours", "--model", model, *sampled, *short)
        add(number, "rectools lists", "rectools", "--part", "evaluate")
        for model in ("sasrec", "esasrec", "hstu"):
            add(number, f"{model} lists", "ours", "--model", model, "--part", "evaluate")
        add(number, "sasrec bf16 lists", "ours", "--part", "bf16", *sampled, "--steps", "40")
        add(number, "recbole", "recbole", *FEW)
        few = ["--loss", "sampled", "--negatives", "128"]
        add(number, "rectools sampled", "rectools", *few, *slow)
    rows = table(cases)
    result = {"name": "backbones", "rows": rows, "cases": cases, **environment()}
    files.write_json(ROOT / "results" / "bench-backbones.json", result)
    print("\n".join(f"{one['what']}: {one['ours']} {one['ratio']} {one['met']}" for one in rows))


def table(cases: dict[str, list[Figures]]) -> list[Figures]:
    """The rows that docs show."""
    speed, lists = "targets_per_cpu_s", "users_per_cpu_s"
    labels = {"sasrec": "SASRec", "esasrec": "eSASRec", "hstu": "HSTU"}
    rows = []
    for model, label in labels.items():
        ours, few = cases[model], cases[f"{model} sampled"]
        mine = model == "sasrec"
        rows += [
            row(f"{label}, full softmax, targets/CPU-s, against RecTools softmax (P1)",
                ours, cases["rectools"], speed, 3 if mine else None),
            row(f"{label}, 512 sampled, against RecTools softmax (P2)",
                few, cases["rectools"], speed, 8 if mine else None),
            row(f"{label}, full softmax, against RecBole CE (P3)",
                ours, cases["recbole"], speed, 200 if mine else None),
            row(f"{label}, top-10 lists, users/CPU-s, against RecTools (P4)",
                cases[f"{model} lists"], cases["rectools lists"], lists, 1.5 if mine else None),
            alone(f"{label}, peak MB, sampled (P5)",
                  max(one["peak_rss_mb"] for one in few), 1200 if mine else None),
            alone(f"{label}, peak MB, full softmax (P5)",
                  max(one["peak_rss_mb"] for one in ours), 1600 if mine else None),
            alone(f"{label}, share of padding", max(one["padding_share"] for one in ours), 0.1),
        ]  # fmt: skip
    bf16, plain = cases["sasrec bf16 lists"], cases["sasrec lists"]
    rows.append(row("SASRec, top-10 lists in bf16, users/CPU-s, against our own fp32", bf16, plain,
                    lists, None))  # fmt: skip
    agreed = min(one["lists_equal"] for one in bf16)
    rows.append(alone("SASRec, share of bf16 lists equal to fp32 (bf16 only from .999 on)", agreed))
    few, what = cases["sasrec sampled"], "SASRec, 512 sampled, against RecTools, 128 sampled"
    rows.append(row(what, few, cases["rectools sampled"], speed, None))
    shares = [
        flops_per_target(one) * one[speed] / 1e9 / one["gemm_gflops"] for one in cases["sasrec"]
    ]
    rows.append(alone("SASRec, full softmax, share of the 2048³ GEMM rate of the same run",
                      statistics.median(shares)))  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
