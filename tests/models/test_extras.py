"""Libraries of extras speak only when asked, and one that is missing is named with its extra."""

import pytest

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra, quiet, transformers


def test_quiet_gives_back_what_it_found() -> None:
    logging = transformers().utils.logging
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with pytest.raises(KeyError), quiet():
        assert not logging.is_progress_bar_enabled()
        raise KeyError
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_a_missing_library_names_its_extra() -> None:
    with pytest.raises(BadInput) as caught, extra("llm"):
        raise ImportError("No module named 'transformers'")
    assert "tastemaker[llm]" in caught.value.fix
