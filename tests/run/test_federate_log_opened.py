"""A federated next-item model opens and recommends for a history of ids."""

from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.run import federate_job as job
from tastemaker.run.federate_log import federate_log
from tastemaker.run.federate_log_opened import open_federated_log
from tastemaker.run.federate_opened import open_federated
from tests.run.federated_log import ITEMS, config, write


def test_a_history_gets_items_it_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    run, fast = tmp_path / "run", {"lr": 0.05, "epochs": 4, "batch": 2}
    federate_log(config(4, local=fast), write(tmp_path / "log"), "shop", str(run))
    opened = open_federated_log(run)
    found = opened.recommend(["i3", "unheard of", "i4"], 3)
    assert found.columns == ["rank", "item_id", "title", "score"]
    assert found["rank"].to_list() == [1, 2, 3] and found["score"].is_sorted(descending=True)
    assert found["item_id"][0] == "i5" and found["title"][0] == "Item 5"
    every = opened.recommend(["i3", "i4"], 99)
    assert set(every["item_id"]) == {f"i{code}" for code in range(ITEMS)} - {"i3", "i4"}
    assert every.head(3).equals(found)
    for history, k in ((["nothing"], 3), ([], 3), (["i3"], 0), ([None], 3)):
        with pytest.raises(BadInput):
            opened.recommend(history, k)  # type: ignore[arg-type]
    with pytest.raises(BadInput) as fault:
        open_federated(run)
    assert "open_federated_log" in fault.value.fix
    (run / "items.parquet").write_bytes(b"")
    with pytest.raises(ArtefactError):
        open_federated_log(run)
