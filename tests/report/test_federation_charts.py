"""What was measured is drawn, and nothing else."""

from tastemaker.report.federation_charts import charts
from tests.report.synthetic_rounds import metrics


def test_each_measure_has_its_chart() -> None:
    drawn = charts(metrics(4))
    titles = ["Accuracy", "Bytes", "Rejected", "Loss", "Drift", "credibility"]
    assert len(drawn) == len(titles)
    assert all(title in picture for title, picture in zip(titles, drawn, strict=True))
    assert "from the clients 500,000.0000 at round 1, 2,000,000.0000 at round 4" in drawn[1]


def test_what_was_not_measured_is_not_drawn() -> None:
    assert charts([]) == []
    (drawn,) = charts([{"round": 1, "epsilon": 0.5}])[1:]
    assert "Privacy spent" in drawn
