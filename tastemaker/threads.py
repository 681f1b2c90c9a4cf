"""How many threads a command takes and how they wait for each other.

Torch-free, since the wait is settled before torch loads. Only the commands ask: who imports the
package keeps the threads of their own program.

Threads that spin at every barrier starve beside one other busy process: a barrier then waits for a
thread that has no core. Two spinning threads on two cores, one of them busy, did not finish in 290
CPU-seconds an epoch that took one thread 35 and two passive ones 53. Alone, at width 64, the second
thread bought a tenth of the wall time for 1.8 times the CPU time.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import MutableMapping
from pathlib import Path, PurePosixPath

PASSIVE = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""Threads that wait give their core away: for any OpenMP, GNU's and Intel's."""

CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables in which a user says how many threads there shall be."""

WIDTH_A_THREAD = 128
"""Width of a model for each thread that computes it: twice the width at which a second one was
measured not to pay. What a thread does between two barriers grows with the width."""


def settle(environ: MutableMapping[str, str]) -> bool:
    """Settle in the environment what torch and BLAS read when they load; a user's choice stays.

    All begin with one thread, from which `take` goes up. OpenBLAS, which inverts matrices, cannot
    be told to wait passively: on a busy machine its second thread made an inverse of 671 rows take
    15 times the CPU time.

    Returns:
        Whether the number of threads is ours to choose: nothing in the environment says it.
    """
    if "OMP_WAIT_POLICY" not in environ:
        for name, value in PASSIVE.items():
            environ.setdefault(name, value)
    if any(environ.get(name) for name in CHOSEN):
        return False
    environ["OMP_NUM_THREADS"] = "1"
    return True


def threads_for(available: int, width: int) -> int:
    """Threads that pay for a model: one up to width 255, then one more every 128.

    What else runs on the machine does not count: the same command shall give the same bytes at
    any hour, and passive waiting makes a thread too many cheap.

    Args:
        available: Cores that this process may use.
        width: D of the model's products.
    """
    return max(1, min(available, width // WIDTH_A_THREAD))


def cores(root: Path = Path("/")) -> int:
    """Cores that this process may use: its affinity, and what its control groups grant."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux has it
        allowed = os.cpu_count() or 1
    return max(1, math.floor(min(allowed, quota(root))))


def quota(root: Path = Path("/")) -> float:
    """Cores' worth of time granted by this process's control groups and those above; else inf."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    limits = [math.inf]
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # A container may see its own group as the root of the tree, hence those above too.
        groups = [PurePosixPath(group), *PurePosixPath(group).parents]
        mounts = {controllers, "cpu"} if controllers else {"", "unified"}
        limits += [
            _granted(root / "sys/fs/cgroup" / mount / str(one).lstrip("/"))
            for mount in mounts
            for one in groups
        ]
    return min(limits)


def _granted(group: Path) -> float:
    """Cores of one group: quota / period, of version 2 or 1."""
    words = _words(group / "cpu.max") or [
        *_words(group / "cpu.cfs_quota_us"),
        *_words(group / "cpu.cfs_period_us"),
    ]
    if len(words) != 2 or words[0] in ("max", "-1"):
        return math.inf
    return int(words[0]) / int(words[1])


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def recorded(run: str) -> int:
    """Threads that a finished run was made with, so that its models answer with the same bits."""
    try:
        asked = json.loads((Path(run) / "config.json").read_text())["threads"]
        return max(1, min(cores(), int(asked)))
    except (OSError, ValueError, KeyError, TypeError):
        return 1  # whatever is wrong with the folder is said by who opens it


def take(count: int) -> None:
    """Let torch compute with `count` threads."""
    import torch

    torch.set_num_threads(count)
