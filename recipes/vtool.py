"""Does a small vision-language model learn when to edit a chart, and by what, from outcomes alone?

Bar charts of 48 pixels, whose labels are a letter each: of a bar by its name one can hardly read
the value unless all others are masked, and what is asked of all bars a mask hides. From one warm
start a seed, which answers well and calls at random, the lean loop learns with tools and without.
"""

import sys
import time

import numpy as np
from evidence import Evidence, size_of
from vtool_arms import ARMS, OF, arm, facts_of
from vtool_controls import METRICS
from vtool_learning import Plan

from tastemaker.reinforce.sandbox import open_sandbox
from tastemaker.reinforce.vtool_lean import LeanToolConfig

CLAIMS = (
    ("R2", "reinforced, tools are above none", "tools", "direct, equal steps", 0),
    ("R2", "and above none for as much CPU", "tools", "direct, equal CPU", 0),
    ("R2", "also at temperature 1", "tools", "direct, equal CPU", 1),
    ("R2", "before, calls forbidden are above calls", "warm start, never use", "warm start", 1),
    ("R2", "also where the likeliest is taken", "warm start, never use", "warm start", 0),
    ("R3", "learning by outcomes helps", "tools", "warm start", 1),
    ("R3", "where it looks matters: above a neighbour's box", "tools", "placebo box", 0),
    ("R3", "the edit matters: above no edit", "tools", "no-op edit", 0),
    ("R3", "when matters: above always", "tools", "always use", 0),
    ("R3", "when matters: above at random, as often", "tools", "random use", 0),
    ("R4", "it helps that the tool's turn learns", "tools", "tool turn not trained", 0),
    ("R4", "also at temperature 1", "tools", "tool turn not trained", 1),
    ("R5", "a bonus for calls makes more of them", "tool bonus", "tools", 2),
    ("R5", "and fewer right answers", "tools", "tool bonus", 0),
    ("R5", "also at temperature 1", "tools", "tool bonus", 1),
)


def main() -> None:
    """Start, reinforce, measure, compare."""
    size, began = size_of(__doc__ or ""), time.process_time()
    seeds = [0] if size == "toy" else [10, 11, 12, 13, 14]
    plan = Plan()
    if size == "toy":
        plan = Plan(warm=2, most=2, batch=16, test=20,
                    learning=LeanToolConfig(steps=2, prompts=4, rollouts=2))  # fmt: skip
    found = Evidence("vtool", "arXiv 2505.19255", "generated charts", size, seeds, METRICS)
    with open_sandbox() as sandbox:
        made = {name: [arm(name, found.cache, seed, sandbox, plan) for seed in seeds]
                for name in (*ARMS, *OF)}  # fmt: skip
    for name, own in made.items():
        for one in own:
            found.add(name, {metric: np.array(one["right"][metric]) for metric in METRICS})
        for title, key in (("tool rate at temperature 1", "rates"),
                           ("accuracy at temperature 1, by question", "shares"),
                           ("what calls for a named bar do", "effects")):  # fmt: skip
            table = found.tables.setdefault(title, {})
            table[name] = {
                kind: round(float(np.mean([one[key][kind] for one in own])), 3)
                for kind in own[0][key]
            }
    for seed in seeds:
        found.tables.setdefault("seeds", {})[f"seed {seed}"] = facts_of(found.cache, seed)
    for key, claim, a, b, metric in CLAIMS:
        found.relate(key, claim, a, b, METRICS[metric])
    found.spent(time.process_time() - began)
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
