"""What the commands can be asked."""

from tastemaker.options import RunOptions


def test_defaults_need_nothing() -> None:
    options = RunOptions()
    assert (options.data, options.model, options.split) == (
        "movielens-small", "sasrec", "leave-one-out",
    )  # fmt: skip
