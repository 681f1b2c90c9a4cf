"""What a reader of a run's numbers should doubt, each in one sentence.

Whether a neural model is above counting is said by the interval of the paired difference, never by
two means; and a training that ended with its epochs has not said its last word.
"""

from __future__ import annotations

from collections.abc import Mapping

from tastemaker.counts import by_count, counted
from tastemaker.data.splits import Split
from tastemaker.files import JsonObject
from tastemaker.metrics.comparisons import Comparison, compare
from tastemaker.metrics.evaluate import Evaluation
from tastemaker.options import HEADLINE
from tastemaker.run.models import Models
from tastemaker.train.loop import Fitted

TIED = 0.01
"""Share of tied targets above which a ranking says little."""
OTHER = 0.1
"""Share of members in no group but `other` above which groups say little of them."""


def caveats(
    models: Models, measured: Mapping[str, Evaluation], cuts: Split, fitted: Fitted
) -> list[str]:
    """Warnings of a run.

    Args:
        models: The models, with their validation values.
        measured: Model → what it did on test.
        cuts: The split.
        fitted: How the training of the neural model went.
    """
    warnings = [
        _training(models.neural_name, fitted),
        _against_counting(models, measured, fitted),
        _cut_histories(models, cuts),
        _ties(measured),
        _few_users(cuts),
        _never_trained(cuts),
    ]
    return [text for text in warnings if text]


def caveats_of_heads(heads: JsonObject) -> list[str]:
    """Warnings about the groups that heads are of.

    Args:
        heads: As `heads_of_run` says; empty without heads.
    """
    return [
        f"{rest['count']:,} of {rest['members']:,} {rest['of']} are in no {axis} but `other`, "
        "whose head speaks for all of them."
        for axis, rest in heads.get("other", {}).items()
        if rest["count"] > OTHER * rest["members"]
    ]


def _training(name: str, fitted: Fitted) -> str:
    if fitted.converged:
        return ""
    ended, option = "Training ended with its last epoch", "--fit.epochs"
    if fitted.stage:
        ended = f"Training ended with the last epoch of its stage {fitted.stage}"
        option = f"--model.{fitted.stage}-epochs, anew"
    return (
        f"{ended} ({fitted.epochs}), not because validation had stopped rising: {name} may get "
        f"better with more (tastemaker train {name} {option})."
    )


def _against_counting(models: Models, measured: Mapping[str, Evaluation], fitted: Fitted) -> str:
    """Where the neural model stands beside the counting model that is best on validation."""
    name, rival = models.neural_name, models.best_counting
    pair = compare(measured[name].per_user[HEADLINE], measured[rival].per_user[HEADLINE])
    low, high = pair.ci95
    if low > 0:
        return ""
    if not fitted.converged:
        return f"Trained so far, {name} {_gap(pair)} against {rival}, the best counting model."
    if high < 0:
        return f"{name} is not above {rival}, the best counting model: it {_gap(pair)}."
    return (
        f"These test users do not tell whether {name} is above {rival}, the best counting model: "
        f"it {_gap(pair)}."
    )


def _gap(pair: Comparison) -> str:
    low, high = pair.ci95
    return f"has {pair.difference:+.4f} [{low:+.4f}, {high:+.4f}] in NDCG@10 on test"


def _cut_histories(models: Models, cuts: Split) -> str:
    history, lengths = models.neural.config.history, cuts.queries("test").contexts.lengths
    longer = int((lengths > history).sum())
    if not longer:
        return ""
    own = "history" in vars(models.neural.config)
    option = "--model.history" if own else "history of --model.backbone"
    return (
        f"{longer:,} of {counted(len(lengths), 'history')} {by_count(longer, 'is', 'are')} longer "
        f"than {counted(history, 'event')}: "
        f"{models.neural_name} reads the newest {history} ({option})."
    )


def _ties(measured: Mapping[str, Evaluation]) -> str:
    best = max(measured, key=lambda name: measured[name].mean(HEADLINE))
    if measured[best].tied <= TIED:
        return ""
    return (
        f"{measured[best].tied:.0%} of the targets have the same score as another item under "
        f"{best}; ranks count such ties against the model."
    )


def _few_users(cuts: Split) -> str:
    if cuts.name != "leave-one-out" and not cuts.name.startswith("last-"):
        return ""
    share = cuts.summary()["test_users"] / max(1, cuts.interactions.num_users)
    return f"Only {share:.0%} of the users have enough events to be tested." if share < 0.5 else ""


def _never_trained(cuts: Split) -> str:
    """Targets that no model can find; where most are such, every value is low for that reason."""
    targets = cuts.queries("test").target_items
    unseen = int((~cuts.trained_items[targets - 1]).sum())
    if 2 * unseen <= len(targets):
        return ""
    return (
        f"{unseen:,} of {counted(len(targets), 'test target')} "
        f"{by_count(unseen, 'is an item', 'are items')} that training never saw, which no model "
        "here can recommend."
    )
