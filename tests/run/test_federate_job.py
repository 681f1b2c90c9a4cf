"""The page of a federation is made again from its results, which must be whole."""

import json
from pathlib import Path

import pytest

from tastemaker import artifacts
from tastemaker.errors import ArtefactError
from tastemaker.federate.privacy import PrivacyConfig
from tastemaker.report.federation import render
from tastemaker.run import federate_job as job
from tastemaker.run.federate import federate
from tastemaker.run.federate_job import report
from tastemaker.run.federate_results import KIND
from tests.run.federated import config, labelled

PAGE = job.write_page


def test_the_page_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    results = federate(config(rounds=1), labelled("town"), str(run))
    monkeypatch.setattr(job, "write_page", PAGE)
    assert report(run) == results
    artifacts.verify(run, KIND)
    page = (run / "report.html").read_text()
    assert "By the silos that the data names." in page and ">north<" in page
    kept = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps(kept | {"accuracy": 1.0}))
    with pytest.raises(ArtefactError):
        report(run)
    with pytest.raises(ArtefactError):
        report(tmp_path)


def test_noise_is_drawn_from_a_secret_that_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opacus", reason="opacus is not installed: it comes with federated")
    seen = []

    def write(run: Path) -> None:
        (run / "report.html").write_text("")

    def said(line: object) -> str:
        (secret,) = tmp_path.glob("*/noise.secret")
        seen.append((secret.read_text(), secret.stat().st_mode & 0o777))
        return ""

    monkeypatch.setattr(job, "write_page", write)
    monkeypatch.setattr(job, "_said", said)
    private = config(2, federation={"privacy": PrivacyConfig(noise=2.0)})
    results = federate(private, labelled(), str(tmp_path / "run"))
    assert results["privacy"]["epsilon"] > 0 and results["privacy"]["noise"] == 2.0
    assert len({secret for secret, _ in seen}) == 1 and {mode for _, mode in seen} == {0o600}
    assert not list((tmp_path / "run").glob("noise*"))
    assert "ε" in render(results, [])
