"""What a training is validated with: every accuracy metric, on fixed users of its split."""

from __future__ import annotations

import re

import numpy as np

from tastemaker.data.splits import Split
from tastemaker.errors import BadInput
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import K, options_of, validation_queries
from tastemaker.metrics.targets import repeated_targets
from tastemaker.options import HEADLINE
from tastemaker.run.reasoning import asked_about, watched
from tastemaker.seams import Recommender

_METRIC = re.compile(r"[a-z]+@([1-9][0-9]{0,8})(/[a-z]+)?")


class Validation:
    """The validation users of a split and how they are ranked, made once."""

    def __init__(self, metric: str, cuts: Split, filter_seen: bool) -> None:
        """Take the metric that selects, which may name another number of items than 10.

        Args:
            metric: Such as `hr@20`.
            cuts: The split.
            filter_seen: Leave out what users have seen.
        """
        named = _METRIC.fullmatch(metric)
        asked = int(named[1]) if named else K
        ks = {K, asked} if asked <= cuts.interactions.num_items else {K}
        self.metric, self.queries = metric, validation_queries(cuts)
        self.scoring = options_of(cuts, filter_seen, tuple(sorted(ks)))
        self.cuts, self.thought_about = cuts, asked_about(self.queries)

    def check(self) -> None:
        """Refuse a metric that would not be measured, before anything is trained.

        Raises:
            BadInput: Naming those that would.
        """
        known = self._names()
        if self.metric not in known:
            fix = f"Known: {', '.join(known)}; or with another number of items, such as ndcg@20."
            what = f"There is no metric {self.metric!r} to select by."
            raise BadInput(what, "--fit.metric", fix)

    def measure(self, model: Recommender) -> dict[str, float]:
        """Means over the users; the metric that selects comes first, what is watched last."""
        measured = evaluate(model, self.queries, self.scoring)
        order = dict.fromkeys((self.metric, HEADLINE, f"hr@{K}", *sorted(measured.per_user)))
        beside = watched(model, self.thought_about, self.cuts)
        return {name: measured.mean(name) for name in order} | beside

    def _names(self) -> list[str]:
        several = bool((np.diff(self.queries.target_offsets) != 1).any())
        suffixes = sorted(self.scoring.conventions(bool(repeated_targets(self.queries).any())))
        kinds = ("ndcg", "hr", "mrr", *(("recall",) if several else ()))
        ks = self.scoring.ks
        return [f"{kind}@{k}{suffix}" for suffix in suffixes for k in ks for kind in kinds]
