"""Labels fit, are cut between characters, and stay apart."""

import pytest

from tastemaker.report.labels import cut, letters, shortened


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("日本", 4), ("ａ", 2), ("𐀀", 1)])
def test_width_counts_wide_letters_twice(text: str, width: int) -> None:
    assert letters(text) == width


def test_a_text_that_fits_stays_and_a_longer_one_ends_in_an_ellipsis() -> None:
    assert cut("12345", 5) == "12345"
    assert cut("123456", 5) == "1234…"
    assert cut("123  6", 5) == "123…"
    assert cut("日本語", 5) == "日本…"


def test_different_names_have_different_labels() -> None:
    labels = shortened(["same-one", "same-two", "same-one", "other"], 5)
    assert labels == {"same-one": "same…", "same-two": "same… (2)", "other": "other"}
