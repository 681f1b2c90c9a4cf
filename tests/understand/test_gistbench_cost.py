"""What is reckoned before a run is no less than what the run takes."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.models.endpoint import Calling, Prices
from tastemaker.models.generate import Scripted
from tastemaker.understand import contestants
from tastemaker.understand.contestants import Contest, Entrant
from tastemaker.understand.gistbench import run
from tastemaker.understand.gistbench_cost import reckoned
from tastemaker.understand.gistbench_results import score
from tests.understand.gist_tasks import OPTIONS, TASK, speaks

CALLING = Calling(prices=Prices(1, 10))
BOTH = Contest(Entrant("mine", calling=CALLING), Entrant("other", max_tokens=500, calling=CALLING))


def test_a_run_stays_below_what_was_reckoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        contestants, "opened", lambda name, url, calling: Scripted(speaks, identity=name)
    )
    with ExitStack() as stack:
        model, judge = BOTH.open(TASK, OPTIONS, tmp_path / "replies.sqlite", stack)
        results = score(run(TASK, model, judge, tmp_path, OPTIONS))
    estimate, tokens = reckoned(TASK, BOTH, OPTIONS), results["tokens"]
    assert estimate.requests >= tokens["model"]["requests"] + tokens["judge"]["requests"] > 18
    assert estimate.prompt_tokens >= sum(spent["prompts"] for spent in tokens.values())
    assert estimate.tokens >= sum(spent["replies"] for spent in tokens.values())
    assert estimate.cost == pytest.approx((estimate.prompt_tokens + 10 * estimate.tokens) / 1e6)


def test_only_language_models_who_are_still_to_be_asked_cost_anything() -> None:
    free = reckoned(TASK, Contest(Entrant("echo"), Entrant("truth")), OPTIONS)
    assert (free.requests, free.cost) == (0, 0)
    writes = Contest(Entrant("mine"))
    assert reckoned(TASK, writes, OPTIONS).requests == 6
    assert reckoned(TASK, writes, replace(OPTIONS, limit=4), done=1).requests == 3
    assert reckoned(TASK, writes, replace(OPTIONS, chunk=50)).requests == 12
    assert reckoned(TASK, BOTH, OPTIONS, done=6).requests == 0
    judged = replace(BOTH, judge=Entrant("other", repeats=3))
    assert reckoned(TASK, judged, OPTIONS).requests > 2 * reckoned(TASK, BOTH, OPTIONS).requests
