"""The container and its composition say what the code says: versions, commands, ports, routes."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tastemaker.cli import VERBS
from tastemaker.commands.parsing import parse
from tastemaker.commands.serve import ServeOptions
from tastemaker.commands.verbs import Later
from tastemaker.errors import BadInput

ROOT = Path(__file__).parents[1]
STEPS = [
    line.split(maxsplit=1)
    for line in (ROOT / "Dockerfile").read_text().splitlines()
    if line and not line.startswith("#")
]
COMPOSED: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())


def said(step: str) -> list[str]:
    return [words for name, words in STEPS if name == step]


def filled(text: str) -> str:
    """Words of a composition as they are once variables have their values."""
    return re.sub(r"\$\{\w+(?::-(\w*)|:\?[^}]*)?\}", lambda found: found[1] or "x", text)


def options_of(words: list[str]) -> object:
    """What a command of the composition asks; refused where the program would refuse it."""
    verb, rest = VERBS[words[0]], words[1:]
    return parse(words[0], verb.make(rest) if isinstance(verb, Later) else verb, rest).options


def commands() -> list[list[str]]:
    """Every call of `tastemaker` in the composition, without its first word."""
    services = COMPOSED["services"]
    lines = services["playground"]["command"][0].replace("$$", "$").splitlines()
    called = [re.sub(r"\$\(.*\)", "", line).split("tastemaker ")[1] for line in lines]
    return [[filled(word) for word in services["server"]["command"]], *map(shlex.split, called)]


def test_versions_are_those_of_the_project() -> None:
    [base] = said("FROM")
    low = PROJECT["requires-python"].removeprefix(">=")
    assert base == f"python:{low}-slim"
    installed = " ".join(words for words in said("RUN") if words.startswith("pip"))
    assert f"torch=={PINS['torch']}" in installed
    extras = re.search(r"'\.\[(.+)\]'", installed)
    assert extras and set(extras[1].split(",")) <= PROJECT["optional-dependencies"].keys()
    assert installed.count("-c constraints.txt") == 2


def test_what_is_copied_is_there_and_not_left_out() -> None:
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().split()}
    copied = {name.removeprefix("./") for words in said("COPY") for name in words.split()[:-1]}
    assert {"pyproject.toml", "tastemaker"} <= copied <= kept
    assert all((ROOT / name).exists() for name in copied)


def test_it_runs_as_nobody_of_importance_and_is_the_command() -> None:
    assert said("USER") == ["tastemaker"] and said("ENTRYPOINT") == ['["tastemaker"]']
    assert "tastemaker" in PROJECT["scripts"]
    order = [name for name, _ in STEPS]
    assert order.index("USER") < order.index("ENTRYPOINT")


def test_every_command_is_one_that_the_program_takes() -> None:
    asked = [options_of(words) for words in commands()]
    assert len(asked) == 3
    serving = [one for one in asked if isinstance(one, ServeOptions)]
    assert len(serving) == 2
    for one in serving:
        assert one.host == "0.0.0.0" and set(one.hosts) == {"localhost", "127.0.0.1"}
    with pytest.raises(BadInput):
        options_of(["serve", "run", "--no-such-option"])


def test_only_this_machine_reaches_it_and_at_the_port_that_is_served() -> None:
    port = str(ServeOptions("run").port)
    assert said("EXPOSE") == [port]
    for name in ("server", "playground"):
        assert COMPOSED["services"][name]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert "ports" not in COMPOSED["services"]["database"]
    [check] = said("HEALTHCHECK")
    assert f"127.0.0.1:{port}/readyz" in check


def test_the_server_asks_the_database_that_is_composed() -> None:
    services = COMPOSED["services"]
    [url] = [word for word in services["server"]["command"] if word.startswith("--database=")]
    database = services["database"]["environment"]
    user, name = database["POSTGRES_USER"], database["POSTGRES_DB"]
    assert url == f"--database=postgresql+psycopg://{user}@database/{name}"
    # The password stands in no list of processes.
    assert services["server"]["environment"]["PGPASSWORD"] == database["POSTGRES_PASSWORD"]
    assert services["server"]["depends_on"]["database"]["condition"] == "service_healthy"
    named = {volume.split(":")[0] for one in services.values() for volume in one.get("volumes", [])}
    assert {volume for volume in named if "/" not in volume} == COMPOSED["volumes"].keys()
