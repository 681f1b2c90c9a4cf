"""The arms of the recipe on learning to use visual tools, each resumable."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vtool_controls import CONTROLS, NEVER, measured
from vtool_learning import Plan, kept, reinforced, started

from tastemaker import files
from tastemaker.reinforce.sandbox import Sandbox
from tastemaker.reinforce.vtool_talk import ShortTalk

ARMS = ("warm start", "tools", "direct, equal steps", "direct, equal CPU", "tool turn not trained",
        "tool bonus")  # fmt: skip
BONUS = 0.5
"""Of a rollout that calls, beside 1 for a right answer."""
OF = {**dict.fromkeys(CONTROLS, "tools"), NEVER: "warm start"}
"""Control → the arm whose weights it has."""


def arm(name: str, folder: Path, seed: int, sandbox: Sandbox, plan: Plan) -> dict[str, Any]:
    """What an arm or a control does on the test charts of a seed, or did."""
    path = folder / f"{_called(name)}-{seed}-measured.json"
    if not path.is_file():
        policy, _ = learned(OF.get(name, name), folder, seed, sandbox, plan)
        control, tools = name if name in OF else "", not name.startswith("direct")
        found = asdict(measured(policy, seed, sandbox, plan.test, control, tools))
        found["right"] = {metric: rows.tolist() for metric, rows in found["right"].items()}
        files.write_json(path, found)
    return files.read_json(path)


def learned(
    name: str, folder: Path, seed: int, sandbox: Sandbox, plan: Plan
) -> tuple[ShortTalk, dict[str, Any]]:
    """The policy of an arm, and what is known of its learning."""
    policy, facts = started(folder, seed, sandbox, plan)
    if name == "warm start":
        return policy, facts
    config, tools, first = replace(plan.learning, seed=seed), not name.startswith("direct"), 0
    if not tools:
        config = replace(config, beta=0.0)  # the start calls, and here a call is a wrong answer
    if name == "tool turn not trained":
        config = replace(config, train_tool_turn=False)
    if name == "tool bonus":
        config = replace(config, bonus=BONUS)
    if name == "direct, equal CPU":
        _, with_tools = learned("tools", folder, seed, sandbox, plan)
        policy, without = learned("direct, equal steps", folder, seed, sandbox, plan)
        first = config.steps
        more = with_tools["cpu seconds"] / without["cpu seconds"] - 1
        config = replace(config, steps=max(1, math.ceil(more * first)))
    path = folder / f"{_called(name)}-{seed}"
    return kept(policy, path, lambda: reinforced(policy, seed, sandbox, config, tools, first))


def _called(name: str) -> str:
    """What the files of an arm are called."""
    return name.replace(", ", "-").replace(" ", "-")


def facts_of(folder: Path, seed: int) -> dict[str, float]:
    """Of a seed's start and learning."""
    facts = {name: files.read_json(folder / f"{name}-{seed}.json")
             for name in ("warm", "tools", "direct-equal-steps", "direct-equal-CPU")}  # fmt: skip
    rates = files.read_json(folder / f"tools-{seed}-measured.json")["rates"]
    return {
        "steps of the start": facts["warm"]["steps"],
        "lookups under a mask, at its end": round(facts["warm"]["masked lookups"], 3),
        "tool rate, named bar": round(rates["lookup"], 3),
        "CPU-s, start": round(facts["warm"]["cpu seconds"]),
        "CPU-s, tools": round(facts["tools"]["cpu seconds"]),
        "CPU-s, direct": round(facts["direct-equal-steps"]["cpu seconds"]),
        "CPU-s, direct, more": round(facts["direct-equal-CPU"]["cpu seconds"]),
    }
