"""The Markdown page has a row a model, in columns that foreign text cannot add to."""

from pathlib import Path

from tastemaker.understand.gistbench import run
from tastemaker.understand.gistbench_results import score
from tastemaker.understand.leaderboard import COLUMNS, leaderboard
from tastemaker.understand.leaderboard_text import markdown
from tastemaker.understand.simulated import Simulated
from tests.understand.gist_tasks import OPTIONS, TASK, TRUTH, WORLD


def test_every_model_has_a_row_of_all_columns(tmp_path: Path) -> None:
    score(run(TASK, Simulated("oracle", WORLD), TRUTH, tmp_path / "run", OPTIONS))
    board = leaderboard([tmp_path / "run"])
    (ranking,) = board["rankings"]
    ranking["models"] = {"a|b": ranking["models"]["oracle"]}
    for part in ("failures", "spent", "counting"):
        ranking[part] = {"a|b": ranking[part]["oracle"]}
    rows = [line for line in markdown(board).splitlines() if line.startswith("|")]
    widths = {row.replace("\\|", "").count("|") for row in rows[:3]}
    assert widths == {len(COLUMNS) + 6} and "a\\|b" in rows[2]
