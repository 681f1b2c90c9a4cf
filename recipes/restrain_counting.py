"""A small language model that counts badly: does it learn to count, or to write numbers?

Questions of how many films a user of MovieLens-small rated high, or not so high, among twelve. Its
texts name no number at all in a ninth of the replies, count high numbers too low by one more often
than rightly, and are off by chance. `exact` is of replies that name a number, and `parsed` how many
do.
"""

import numpy as np
from evidence import Evidence, size_of
from restrain_language import METRICS, PART, gather, stated
from restrain_pretrained import Small, shortened
from restrain_questions import by_polarity, misled, questions, task

from tastemaker.reinforce.learning import LearningConfig

SMALL = Small(steps=3000, batch=64, lr=3e-3)
LEARNING = LearningConfig(
    prompts_per_step=8, steps=160, lr=1e-4, beta=0.0, max_tokens=3, micro=128, save_every=40
)
"""Of rates 1e-4, 3e-4 and 1e-3 the one best for `gold` and `ttrl` together, on validation."""
CLAIMS = (
    ("R1", "it counts better than the untrained model", "RESTRAIN", "untrained", "exact"),
    ("R1", "it counts better than TTRL", "RESTRAIN", "ttrl", "exact"),
    ("R1", "where texts count too low it is above TTRL", "RESTRAIN", "ttrl", PART),
    ("R1", "as in the paper it counts better than TTRL", "raw", "ttrl", "exact"),
    ("R1", "gold labels are above it", "gold", "RESTRAIN", "exact"),
    ("R1", "gold labels are above TTRL", "gold", "ttrl", "exact"),
    ("R1", "it counts better than by a coin", "RESTRAIN", "random", "exact"),
    ("F", "more of its replies can be read than of the untrained", "RESTRAIN", "untrained",
     "parsed"),
    ("R2", "it keeps more different answers than TTRL", "RESTRAIN", "ttrl", "distinct"),
)  # fmt: skip


def main() -> None:
    """Teach to write, reinforce by every signal, compare."""
    size = size_of(__doc__ or "")
    toy, seeds = size == "toy", [0] if size == "toy" else [0, 1, 2]
    found = Evidence("restrain_counting", "arXiv 2510.02172", "movielens-small", size, seeds,
                     METRICS)  # fmt: skip
    cut = questions(10 if toy else 300)
    asked = task(cut)
    small, learning = shortened(SMALL, LEARNING) if toy else (SMALL, LEARNING)
    said = gather(found, asked, small, learning, np.array([*map(misled, asked.held_out)]))
    stated(found, CLAIMS)
    found.tables["counting, by polarity"] = {
        arm: by_polarity(cut[0], rows) for arm, rows in said.items()
    }
    print(found.write())


if __name__ == "__main__":
    main()
