"""A page is one file, and text in it stays text."""

from tastemaker.report.templates import page_of


def test_text_is_escaped_and_nothing_is_asked_for() -> None:
    html = page_of("leaderboard.html", rankings=[])
    assert html.startswith("<!doctype html>") and "Who understands a user?" in html
    assert "<script" not in html and "src=" not in html and html.count("</body>") == 1
