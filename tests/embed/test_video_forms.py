"""Forms are the sums of powers that the docs write down."""

import numpy as np
import pytest

from tastemaker.embed.video_forms import FORMS, Form, Layout, log_factors, terms_of
from tests.embed.surfaces import CENTRE, GRID, PLANTED, planted


@pytest.mark.parametrize(
    ("form", "parameters"), [("mult", 6), ("add", 9), ("add-interact", 15), ("add-interact-s", 13)]
)
def test_forms_have_as_many_parameters_as_are_written(form: Form, parameters: int) -> None:
    layout = Layout.of(form)
    assert len(set(layout.names)) == len(layout.names) == parameters
    assert layout.coefficients == len(layout.terms)


def test_the_interaction_form_is_its_formula() -> None:
    p, x, n = PLANTED, GRID[17], 1e6
    scaled = np.array([*x, n]) / np.exp(CENTRE)
    wanted = np.exp(p["xi"]) * scaled[3] ** -p["d"] + np.exp(p["eps"])
    for k, name in enumerate(("parameters", "frames", "tokens")):
        wanted += np.exp(p[f"alpha_{name}"]) * scaled[k] ** -p[f"a_{name}"]
        wanted += np.exp(p[f"beta_{name}"]) * scaled[k] ** p[f"b_{name}"] * scaled[3] ** -p["d"]
    law = planted()
    assert law(x[None], n)[0, 0] == pytest.approx(wanted, rel=1e-12)
    assert law.at(n)(x[None], 123.0)[0, 0] == pytest.approx(wanted, rel=1e-12)


def test_the_product_is_its_formula() -> None:
    p, x, n = PLANTED, GRID[3], 2e6
    scaled = np.array([*x, n]) / np.exp(CENTRE)
    powers = [p["a_parameters"], p["a_frames"], p["a_tokens"], p["d"]]
    wanted = np.exp(p["alpha"]) * np.prod(scaled ** -np.array(powers)) + np.exp(p["eps"])
    assert planted("mult")(x[None], n)[0, 0] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_what_does_not_vary_has_no_term(form: Form) -> None:
    active = (True, False, True, False)
    names = Layout.of(form, active).names
    assert not any("frames" in name or name in ("d", "xi", "b") for name in names)
    assert len(terms_of(form, active)) == (2 if form == "mult" else 3)


@pytest.mark.parametrize("form", FORMS)
def test_the_design_gives_the_logs_of_the_terms(form: Form) -> None:
    layout = Layout.of(form)
    values = np.array([PLANTED[name] for name in layout.names])
    logs = log_factors(GRID[:5], 3e5) - CENTRE
    errors = np.exp(layout.design(logs) @ values).sum(axis=1)
    assert errors == pytest.approx(planted(form)(GRID[:5], 3e5)[0], rel=1e-12)
