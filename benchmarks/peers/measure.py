"""What the peer scripts share: arguments, the interaction file, clocks, memory and the GEMM rate.

Import it before anything else: it asks for one thread before any library starts its pool, and it
takes this folder off the import path, where `rectools.py` would hide the package of that name.
Runs in the peers' environments, so it needs nothing but torch and the standard library.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent]

import torch  # noqa: E402

TOP = 10
Figures = dict[str, Any]


@dataclass
class Log:
    """The users' events in time order, and the hash of the text they were read from."""

    sequences: list[list[int]]
    sha256: str

    def without_last(self, count: int) -> list[list[int]]:
        """Every user's events but the last `count`."""
        return [events[:-count] for events in self.sequences]


@dataclass
class StepClock:
    """Times training steps after a warm-up and counts what their batches held."""

    warmup: int
    steps: int
    done: int = 0
    targets: int = 0
    positions: int = 0
    padded: int = 0
    first_call_s: float = 0.0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    _cpu: float = field(default=0.0, repr=False)
    _wall: float = field(default=0.0, repr=False)

    def begin(self) -> None:
        """Start the clocks; call it before the first batch is built."""
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def step(self, inputs: torch.Tensor, in_loss: torch.Tensor) -> None:
        """Take note of a finished step: its input ids (0 is padding) and the mask of its loss."""
        self.done += 1
        if self.done == self.warmup:
            self.first_call_s = time.perf_counter() - self._wall
            self.begin()
        elif self.done > self.warmup:
            self.targets += int(in_loss.sum())
            self.positions += inputs.numel()
            self.padded += int((inputs == 0).sum())
        if self.done == self.warmup + self.steps:
            self.cpu_s = time.process_time() - self._cpu
            self.wall_s = time.perf_counter() - self._wall

    def figures(self) -> Figures:
        """The part of the report that training fills."""
        if self.done != self.warmup + self.steps:
            raise RuntimeError(f"{self.done} steps ran, not {self.warmup} + {self.steps}")
        return {
            "targets": self.targets,
            "cpu_s": self.cpu_s,
            "wall_s": self.wall_s,
            "first_call_s": self.first_call_s,
            "targets_per_cpu_s": self.targets / self.cpu_s,
            "padding_share": self.padded / self.positions,
        }


def time_lists(warm_up: Callable[[], object], lists: Callable[[], int]) -> Figures:
    """Time `lists`, which makes top-10 lists and returns for how many users, after `warm_up`."""
    started = time.perf_counter()
    warm_up()
    wall, cpu = time.perf_counter(), time.process_time()
    users = lists()
    eval_cpu_s = time.process_time() - cpu
    return {
        "users": users,
        "eval_cpu_s": eval_cpu_s,
        "users_per_cpu_s": users / eval_cpu_s,
        "wall_s": time.perf_counter() - wall,
        "first_call_s": wall - started,
    }


def report(peer: str, package: str, measure: Callable[[argparse.Namespace, Log], Figures]) -> None:
    """Run `measure` on what the command line says and print one JSON object."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    args = _arguments(peer)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    log = _load(args.data, args.users)
    shapes = {name: value for name, value in vars(args).items() if name not in ("data", "part")}
    shapes |= {
        "users": len(log.sequences),
        "items": len({item for events in log.sequences for item in events}),
        "dtype": "float32",
    }
    result = {
        "peer": peer,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": version("numpy"),
            "peer": version(package),
        },
        "case": f"{args.data.parent.name} {args.part} {args.loss}",
        "shapes": shapes,
        "threads": torch.get_num_threads(),
        "data_sha256": log.sha256,
        **dict.fromkeys(
            ("targets", "cpu_s", "wall_s", "first_call_s", "targets_per_cpu_s", "padding_share")
        ),
        **dict.fromkeys(("users", "eval_cpu_s", "users_per_cpu_s")),
        **measure(args, log),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if args.users:
        result["differences"].append(f"only the first {args.users} users of the file")
    result["gemm_gflops"] = _gemm_gflops()
    print(json.dumps(result), file=out, flush=True)


def _arguments(peer: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Time {peer} on one thread.")
    parser.add_argument("--data", type=Path, required=True, help="lines `user item item ...`, gz")
    parser.add_argument("--part", choices=("train", "evaluate", "bf16"), default="train")
    parser.add_argument("--loss", choices=("softmax", "sampled"), default="softmax")
    parser.add_argument("--model", default="sasrec", help="backbone; the peers have sasrec alone")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--users", type=int, help="use only so many users of the file")
    numbers = {"length": 200, "dim": 64, "layers": 2, "heads": 2, "inner": 256, "batch": 256}
    numbers |= {"negatives": 128, "warmup": 5, "steps": 20, "seed": 0}
    for name, value in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    if args.warmup < 1 or args.steps < 1:
        parser.error("--warmup and --steps must be at least 1")
    args.data = args.data.resolve()
    return args


def _load(path: Path, users: int | None) -> Log:
    text = gzip.decompress(path.read_bytes())
    lines = text.decode().splitlines()[:users]
    sequences = [[int(item) for item in line.split()[1:]] for line in lines]
    return Log(sequences, hashlib.sha256(text).hexdigest())


def _gemm_gflops(size: int = 2048, repeats: int = 5) -> float:
    left, right = torch.rand(size, size), torch.rand(size, size)
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9
