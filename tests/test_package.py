"""What is exported, what import costs, what is pinned, and that the wheel stands alone."""

import importlib.metadata
import json
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import tastemaker

ROOT = Path(__file__).parents[1]


def test_public_names_resolve_and_are_few() -> None:
    assert len(tastemaker.__all__) <= 12
    assert dir(tastemaker) == sorted(tastemaker.__all__)
    for name in tastemaker.__all__:
        assert getattr(tastemaker, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'train_everything'"):
        tastemaker.train_everything  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, tastemaker;"
        "sys.exit(str({'torch', 'polars', 'altair', 'numpy', 'accelerate'} & set(sys.modules)"
        " or '') or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_version_is_that_of_the_changelog() -> None:
    assert importlib.metadata.version("tastemaker") == tastemaker.__version__
    text = (ROOT / "CHANGELOG.md").read_text()
    assert f"## {tastemaker.__version__}" in text or "## Unreleased" in text


def test_everything_installed_is_pinned() -> None:
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line
    )
    plain = {re.sub(r"[-_.]+", "-", name).lower(): v for name, v in pinned.items()}
    for found in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        if name in ("tastemaker", "pip", "setuptools", "wheel"):
            continue
        version = found.version.split("+")[0]
        assert plain.get(name, "").split("+")[0] == version, f"{name} {version} is not pinned so"


def test_the_wheel_runs_in_a_bare_environment(tmp_path: Path) -> None:
    """Dependencies are lent by this environment; the package itself must come from the wheel."""
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True)
    if done.returncode and "setuptools" in done.stderr:
        pytest.skip("the build backend could not be fetched")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    for name in ("data/embedded/movielens-small/interactions.parquet", "report/page.html",
                 "data/embedded/movielens-small/LICENSE.txt", "py.typed",
                 "serve/web/layout.html", "serve/web/web.css", "serve/web/page.js",
                 "serve/web/icon.svg"):  # fmt: skip
        assert f"tastemaker/{name}" in held
    assert not [name for name in held if name.startswith(("tests/", "recipes/"))]
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(bare), "platbase": str(bare)}))
    zipfile.ZipFile(wheel).extractall(site)
    lent = site / "lent.pth"
    # A path on its own does not process that folder's own .pth files, so no editable install leaks.
    lent.write_text(sysconfig.get_path("purelib") + "\n")
    code = (
        "import sys, tastemaker; from tastemaker.cli import main;"
        "print(tastemaker.__file__); sys.exit(main(['data', 'describe', '--json']))"
    )
    done = subprocess.run(
        [bare / "bin" / "python", "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    where, answer = done.stdout.splitlines()
    assert Path(where).is_relative_to(bare)
    assert json.loads(answer)["interactions"] == 100_004
