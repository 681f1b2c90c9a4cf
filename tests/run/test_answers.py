"""What one user is shown."""

from pathlib import Path

import pytest

from tastemaker.run.saved import SavedRun, open_run


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_answers_are_json(saved: SavedRun) -> None:
    import json

    values = json.loads(json.dumps(saved.recommend("u1", 2).to_json(), allow_nan=False))
    assert values["items"][0]["title"].startswith("Item")
