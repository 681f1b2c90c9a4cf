"""A model without heads is none that has them."""

from tastemaker import seams
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.sasrec import SASRec, SASRecConfig


def test_heads_are_told_by_what_a_model_offers() -> None:
    assert not isinstance(SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8), 5), seams.Headed)
    offered = {"head_names", "intents", "heads_of", "head_facts", "spoken", "score"}
    assert offered <= set(dir(Priors))
