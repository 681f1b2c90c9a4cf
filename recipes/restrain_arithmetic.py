"""A small language model that forgets to carry: what does it learn from its own answers?

Sums and differences of two numbers below 100. Some answers of its texts are off by a little, and
where a digit is to be carried many forget it, in differences more than get it right.
"""

import numpy as np
from evidence import Evidence, size_of
from restrain_language import METRICS, PART, gather, stated
from restrain_pretrained import Small, Task, shortened

from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.prompts import Prompt, arithmetic_prompts
from tastemaker.worlds.arithmetic import ArithmeticOptions, arithmetic

SMALL = Small(steps=3000)
LEARNING = LearningConfig(
    prompts_per_step=8, steps=160, lr=1e-4, beta=0.0, max_tokens=5, micro=128, save_every=40
)
"""Of rates 1e-4, 3e-4 and 1e-3 the one best for `gold` and `ttrl` together, on validation."""
SLIP, BLUNDER = {"+": 0.3, "-": 0.4}, 0.3
"""Shares of texts that forget to carry, and that are off by chance."""
CLAIMS = (
    ("R1", "it is above the untrained model", "RESTRAIN", "untrained", "pass@1"),
    ("R1", "it is above TTRL", "RESTRAIN", "ttrl", "pass@1"),
    ("R1", "where most texts forget to borrow it is above TTRL", "RESTRAIN", "ttrl", PART),
    ("R1", "as in the paper it is above TTRL", "raw", "ttrl", "pass@1"),
    ("R1", "gold labels are above it", "gold", "RESTRAIN", "pass@1"),
    ("R1", "gold labels are above TTRL", "gold", "ttrl", "pass@1"),
    ("R1", "it is above a coin", "RESTRAIN", "random", "pass@1"),
    ("R1", "a coin teaches something", "random", "untrained", "pass@1"),
    ("R2", "it keeps more different answers than TTRL", "RESTRAIN", "ttrl", "distinct"),
)


def forgetful(a: int, b: int, operation: str) -> int:
    """The answer without carrying: digits are added, or the lesser taken from the larger, apart."""
    tens, ones = zip(divmod(a, 10), divmod(b, 10), strict=True)
    if operation == "+":
        return 10 * sum(tens) + sum(ones) % 10
    return 10 * abs(tens[0] - tens[1]) + abs(ones[0] - ones[1])


def terms(prompt: Prompt) -> tuple[int, int, str]:
    """Numbers and operation of a prompt."""
    first, operation, second, _ = prompt.messages[0]["content"].split()
    return int(first), int(second), operation


def says(prompt: Prompt, rng: np.random.Generator) -> str:
    """An answer as texts have it."""
    first, second, operation = terms(prompt)
    chance = rng.random()
    if chance < BLUNDER:
        return str(int(prompt.gold or 0) + int(rng.choice([-10, -2, -1, 1, 2, 10])))
    slips = chance < BLUNDER + SLIP[operation]
    return str(forgetful(first, second, operation) if slips else prompt.gold)


def misled(prompt: Prompt) -> bool:
    """Whether texts answer it more often without carrying than rightly."""
    first, second, operation = terms(prompt)
    slip = forgetful(first, second, operation)
    return str(slip) != prompt.gold and SLIP[operation] > 1 - BLUNDER - SLIP[operation]


def task(many: int) -> Task:
    """Problems, none of them twice."""
    world = arithmetic(ArithmeticOptions(train=19 * many, held_out=many))
    prompts, held_out = arithmetic_prompts(world.train), arithmetic_prompts(world.held_out)
    cuts = int(1.2 * many), int(1.6 * many)
    return Task(prompts[cuts[1] :], prompts[: cuts[0]], prompts[cuts[0] : cuts[1]], held_out, says)


def main() -> None:
    """Teach to write, reinforce by every signal, compare."""
    size = size_of(__doc__ or "")
    toy, seeds = size == "toy", [0] if size == "toy" else [0, 1, 2]
    found = Evidence("restrain_arithmetic", "arXiv 2510.02172", "generated arithmetic", size, seeds,
                     METRICS)  # fmt: skip
    asked = task(10 if toy else 250)
    small, learning = shortened(SMALL, LEARNING) if toy else (SMALL, LEARNING)
    gather(found, asked, small, learning, np.array([*map(misled, asked.held_out)]))
    stated(found, CLAIMS)
    print(found.write())


if __name__ == "__main__":
    main()
