"""A federated next-item model opens and recommends for a history of ids."""

import re
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.run import federate_job as job
from tastemaker.run.federate import federate
from tastemaker.run.federate_log import federate_log
from tastemaker.run.federate_log_opened import open_federated_log
from tastemaker.run.federate_opened import open_federated
from tests.run.federated import config as classifying
from tests.run.federated import labelled
from tests.run.federated_log import ITEMS, config, write

PAGE = Path(__file__).parents[2] / "docs" / "federate.md"


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


def test_a_history_gets_items_it_does_not_hold(tmp_path: Path) -> None:
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


def test_a_model_is_opened_only_as_what_it_is(tmp_path: Path) -> None:
    federate(classifying(1), labelled(), str(tmp_path / "run"))
    with pytest.raises(BadInput) as fault:
        open_federated_log(tmp_path / "run")
    assert "open_federated" in fault.value.fix
    with pytest.raises(ArtefactError):
        open_federated_log(tmp_path)


def test_the_code_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "shops")
    for written, here in (("LogConfig()", "small(1)"), ("espresso", "i1"), ("filter papers", "i2")):
        assert written in code
        code = code.replace(written, here)
    exec(compile(code, "federate.md", "exec"), {"small": config})
    assert "Item " in capsys.readouterr().out
