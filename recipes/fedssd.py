"""FedSSD on handwritten digits: does distilling what is credible help, and is it not the labels?

Ten clients with skewed labels, five seeds; settings are chosen on a validation split. The control
is FedAvg whose server trains on the labels that FedSSD only measures credibility with.
"""

import sys
from dataclasses import replace

from evidence import Evidence, size_of
from fedssd_arms import METRICS, SETTINGS, beside, choose, gather
from fedssd_claims import BOTH, CLAIMS, EVEN, HALF, MAIN, NOTES, SWEEP, raised, table
from fedssd_worlds import DIGITS
from restrain_toy import means, relate


def main() -> None:
    """Choose, train, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    seeds, rounds = ([0], 2) if toy else (list(range(5)), 40)
    found = Evidence("fedssd", "arXiv 2504.14694", "scikit-learn digits", size, seeds, METRICS)
    settings = {
        name: [replace(arm, rounds=rounds) for arm in arms] for name, arms in SETTINGS.items()
    }
    best, tables = choose(found, DIGITS, settings, [10] if toy else [10, 11])
    more = beside(best)
    gather(found, DIGITS, best | more)
    gather(found, DIGITS, best | {name: more[name] for name in BOTH}, HALF, share=0.5)
    gather(
        found, DIGITS, {name: best[name] for name in MAIN}, EVEN, alpha=0.5, rounds=min(rounds, 25)
    )
    places = {"Dir(0.1), all take part": "", "Dir(0.1), half take part": HALF, "Dir(0.5)": EVEN}
    found.tables = {title: table(found, suffix) for title, suffix in places.items()} | tables
    raised(found, "FedAvg", 1, "plus a point")
    raised(found, "FedProx", 0.5, "plus half a point")
    raised(found, f"FedAvg{HALF}", 2, "plus two points")
    by_strength = sorted(SWEEP, key=lambda name: means(found, name, "accuracy").mean())
    raised(found, by_strength[-1], -1.5, "less a point and a half")
    for key, claim, above, below, metric in CLAIMS:
        relate(found, key, claim, (above, below), metric)
    claim = "the worst strength is at most a point and a half below the best"
    pair = by_strength[0], f"{by_strength[-1]} less a point and a half"
    relate(found, "R4", claim, pair, "accuracy")
    found.notes += NOTES
    sys.stdout.write(f"{found.write()}\n")


if __name__ == "__main__":
    main()
