"""Threads of a command: as many as pay, waiting passively, unless the user says otherwise."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker import threads
from tastemaker.commands.run import threads_that_pay
from tastemaker.recommend.hllm import HLLMConfig
from tastemaker.recommend.sasrec import SASRecConfig


def test_small_models_take_one_thread_and_wide_ones_more() -> None:
    assert [threads.threads_for(16, width) for width in (8, 64, 128, 255)] == [1, 1, 1, 1]
    assert [threads.threads_for(16, width) for width in (256, 384, 1024)] == [2, 3, 8]
    assert threads.threads_for(2, 4096) == 2
    assert threads.threads_for(1, 4096) == 1


def test_waiting_is_passive_unless_the_user_says_otherwise() -> None:
    environ: dict[str, str] = {}
    assert threads.settle(environ)
    assert environ == {**threads.PASSIVE, "OMP_NUM_THREADS": "1"}
    asked = {"OMP_WAIT_POLICY": "active", "OMP_NUM_THREADS": "7"}
    environ = dict(asked)
    assert not threads.settle(environ)
    assert environ == asked
    environ = {"MKL_NUM_THREADS": "2", "GOMP_SPINCOUNT": "5"}
    assert not threads.settle(environ)
    assert environ["GOMP_SPINCOUNT"] == "5"
    assert "OMP_NUM_THREADS" not in environ


def group(root: Path, lines: str, **files: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(lines)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("lines", "files", "granted"),
    [
        ("0::/a/b\n", {"a__b__cpu_dot_max": "max 100000\n"}, math.inf),
        ("0::/a/b\n", {"a__b__cpu_dot_max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"a__cpu_dot_max": "200000 100000", "a__b__cpu_dot_max": "max 1"}, 2.0),
        ("0::/hidden/of/host\n", {"cpu_dot_max": "300000 100000\n"}, 3.0),
        ("5:memory:/x\n4:cpu,cpuacct:/x\n",
         {"cpu,cpuacct__x__cpu_dot_cfs_quota_us": "50000\n",
          "cpu,cpuacct__x__cpu_dot_cfs_period_us": "100000\n"}, 0.5),
        ("4:cpu:/\n", {"cpu__cpu_dot_cfs_quota_us": "-1", "cpu__cpu_dot_cfs_period_us": "9"},
         math.inf),
        ("", {}, math.inf),
    ],
)  # fmt: skip
def test_control_groups_of_both_versions_are_respected(
    tmp_path: Path, lines: str, files: dict[str, str], granted: float
) -> None:
    root = group(tmp_path, lines, **files)
    assert threads.quota(root) == granted
    assert 1 <= threads.cores(root) <= max(1, granted)


def test_affinity_is_respected() -> None:
    one = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, [{one}]);"
        "from tastemaker.threads import cores; print(cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_a_saved_run_is_read_with_the_threads_it_was_made_with(tmp_path: Path) -> None:
    assert threads.recorded(str(tmp_path)) == 1
    for made, taken in ((1, 1), (10_000, threads.cores()), ("?", 1)):
        (tmp_path / "config.json").write_text(json.dumps({"threads": made}))
        assert threads.recorded(str(tmp_path)) == taken


def threads_of_command(tmp_path: Path, data: Path, dim: str, **environ: str) -> tuple[int, str]:
    """Threads that a run of the command records, and how OpenMP says that it waits."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "MKL_", "GOMP_"))}
    words = ["train", "sasrec", "--data", str(data), "--out", str(tmp_path / "run"),
             "--fit.epochs", "1", "--model.dim", dim, "--model.layers", "1"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tastemaker.cli", *words],
        env=clean | {"OMP_DISPLAY_ENV": "true"} | environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (waits,) = {line.split("=")[1] for line in done.stderr.splitlines() if "WAIT_POLICY" in line}
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    return config["threads"], waits.strip(" '").lower()


def test_the_command_takes_one_passive_thread_for_a_small_model(
    small_data: Path, tmp_path: Path
) -> None:
    assert threads_of_command(tmp_path, small_data, "8") == (1, "passive")


def test_a_wide_model_takes_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tastemaker.commands.run.cores", lambda: 4)
    assert threads_that_pay(SASRecConfig(dim=64)) == 1
    assert threads_that_pay(SASRecConfig(dim=512)) == 4
    assert threads_that_pay(HLLMConfig(dim=64)) == 1
    assert threads_that_pay(HLLMConfig(dim=64, item_model="minilm")) == 3


def test_the_command_keeps_what_the_user_asks_for(small_data: Path, tmp_path: Path) -> None:
    asked = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "active"}
    assert threads_of_command(tmp_path, small_data, "8", **asked) == (2, "active")


def test_the_library_leaves_a_host_program_its_threads(small_data: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys; own = lambda: {k: v for k, v in os.environ.items() if 'MP_' in k};"
        "before = own();"
        "import torch; torch.set_num_threads(3); import tastemaker;"
        "from tastemaker.recommend.sasrec import SASRecConfig;"
        "from tastemaker.train.config import FitConfig;"
        "shape = SASRecConfig(dim=8, heads=1, layers=1, history=6);"
        "options = tastemaker.RunOptions(sys.argv[1], out=sys.argv[2]);"
        "tastemaker.run_recommender(options, shape, FitConfig(epochs=1));"
        "print(torch.get_num_threads(), before == own())"
    )
    words = [sys.executable, "-c", code, str(small_data), str(tmp_path / "run")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "True"]
    assert done.stderr == ""
