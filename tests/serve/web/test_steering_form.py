"""What a list can be steered by."""

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.steering_form import steering_form
from tastemaker.serve.web.tastes import Tastes


def test_the_recommended_model_stands_first(opened: Opened) -> None:
    form = steering_form(opened, Tastes.of(opened.saved))
    assert form.models[0] == opened.model
    assert set(form.models) == set(opened.saved.models.names)
    (categories,) = form.groups
    assert [name for name, _ in categories.names] == ["All", "Even", "Odd"]
    assert form.diversifies == (opened.saved.shelf.likeness is not None)
