"""Forms are the sums of powers that the docs write down."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.embed import video_forms
from tastemaker.embed.video_forms import (
    EXAMPLES,
    FACTORS,
    FORMS,
    Floats,
    Form,
    Layout,
    log_factors,
    terms_of,
)
from tests.embed.surfaces import CENTRE, FEW, GRID, PLANTED, planted


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


def slowly(form: Form, values: dict[str, float], scaled: Floats) -> float:
    """The formulas of the module's head, a factor and a term at a time."""
    names = FACTORS[:EXAMPLES]
    n, eps = scaled[EXAMPLES], math.exp(values["eps"])
    falls = [scaled[k] ** -values[f"a_{name}"] for k, name in enumerate(names)]
    if form == "mult":
        return math.exp(values["alpha"]) * math.prod(falls) * n ** -values["d"] + eps
    total = eps + math.exp(values["xi"]) * n ** -values["d"]
    for k, name in enumerate(names):
        total += math.exp(values[f"alpha_{name}"]) * falls[k]
        if form != "add":
            b = values["b" if form == "add-interact-s" else f"b_{name}"]
            total += math.exp(values[f"beta_{name}"]) * scaled[k] ** b * n ** -values["d"]
    return total


forms = st.sampled_from(FORMS)
seeds = st.integers(0, 2**31)


def drawn(form: Form, seed: int, many: int = 1) -> tuple[Layout, Floats]:
    """A layout, and log coefficients and exponents above 0."""
    layout, rng = Layout.of(form), np.random.default_rng(seed)
    values = rng.normal(-1, 1, (many, len(layout.names)))
    values[:, layout.coefficients :] = np.exp(0.7 * values[:, layout.coefficients :])
    return layout, values


@FEW
@given(forms, seeds)
def test_every_form_is_its_formula_at_every_point(form: Form, seed: int) -> None:
    layout, values = drawn(form, seed, 3)
    law = layout.powers(values, CENTRE, 0.4)
    x, n = GRID[seed % len(GRID)], 10.0 ** (3 + seed % 5)
    scaled = np.array([*x, n]) / np.exp(CENTRE)
    each = [dict(zip(layout.names, row.tolist(), strict=True)) for row in values]
    wanted = [math.exp(0.4) * slowly(form, one, scaled) for one in each]
    assert law(x[None], n)[:, 0] == pytest.approx(wanted, rel=1e-9) and len(law) == 3


@FEW
@given(forms, seeds)
def test_more_examples_never_raise_an_error(form: Form, seed: int) -> None:
    layout, values = drawn(form, seed)
    law = layout.powers(values, CENTRE, 0.0)
    errors = [law(GRID, n)[0] for n in (1e3, 1e5, 1e7)]
    floor = np.exp(values[0, layout.names.index("eps")])
    assert (np.diff(errors, axis=0) <= 0).all() and (errors[2] > floor).all()


@FEW
@given(st.sampled_from(["mult", "add"]), seeds, st.integers(0, 2))
def test_without_interactions_a_richer_input_never_raises_an_error(
    form: Form, seed: int, factor: int
) -> None:
    layout, values = drawn(form, seed)
    law, more = layout.powers(values, CENTRE, 0.0), GRID.copy()
    more[:, factor] *= 2
    assert (law(more, 1e6) <= law(GRID, 1e6)).all()


@FEW
@given(forms, seeds)
def test_errors_are_convex_in_logs(form: Form, seed: int) -> None:
    """What fitting and the frontier build on: the middle of two is never above both's mean."""
    layout, values = drawn(form, seed)
    law, rng = layout.powers(values, CENTRE, 0.0), np.random.default_rng(seed)
    one, other = GRID[rng.integers(len(GRID), size=(2, 20))]
    ends = np.log(law(one, 1e4)[0]), np.log(law(other, 1e6)[0])
    middle = np.log(law(np.sqrt(one * other), 1e5)[0])
    assert (middle <= (ends[0] + ends[1]) / 2 + 1e-9).all()


@FEW
@given(forms, seeds, st.floats(1, 1e9))
def test_at_one_number_of_examples_no_power_of_it_is_left(form: Form, seed: int, n: float) -> None:
    layout, values = drawn(form, seed, 2)
    law = layout.powers(values, CENTRE, 0.0)
    held = law.at(n)
    assert not held.powers[:, :, EXAMPLES].any()
    assert held(GRID, 123.0) == pytest.approx(law(GRID, n), rel=1e-9)


@FEW
@given(forms, seeds)
def test_the_order_of_configurations_is_the_order_of_errors(form: Form, seed: int) -> None:
    layout, values = drawn(form, seed, 2)
    law, order = layout.powers(values, CENTRE, 0.0), np.random.default_rng(seed).permutation(105)
    n = np.geomspace(1e4, 1e6, len(GRID))
    assert np.allclose(law(GRID[order], n[order]), law(GRID, n)[:, order], rtol=1e-12)


@FEW
@given(forms, st.tuples(*[st.booleans()] * 4).filter(any))
def test_a_layout_names_what_it_has_and_nothing_else(form: Form, active: tuple[bool, ...]) -> None:
    layout = Layout.of(form, active)
    exponents = layout.names[layout.coefficients :]
    assert len(set(layout.names)) == len(layout.names)
    for k, name in enumerate(FACTORS[:EXAMPLES]):
        assert (f"a_{name}" in exponents) == active[k]
    assert ("d" in exponents) == active[EXAMPLES]
    assert layout.names[layout.coefficients - 1] == "eps"
    logs = np.random.default_rng(0).normal(size=(5, 4))
    design = layout.design(logs)
    assert design.shape == (5, len(layout.terms), len(layout.names))
    still = logs.copy()
    still[:, ~np.array(active)] += 3
    assert np.array_equal(layout.design(still), design)


def test_interaction_forms_hold_the_simpler_ones() -> None:
    """With betas of nothing the interaction form is the additive one."""
    names = Layout.of("add-interact").names
    none = {name: -40.0 for name in names if name.startswith("beta")}
    assert planted("add-interact", **none)(GRID, 1e6) == pytest.approx(planted("add")(GRID, 1e6))
    assert planted("add-interact-s", b=0.2)(GRID, 1e5) == pytest.approx(
        planted("add-interact", b_frames=0.2)(GRID, 1e5)
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_sum_in_blocks_is_the_sum_of_its_terms(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether n is one number or one of each configuration, and wherever a block ends."""
    law, n = planted(form), np.geomspace(1e5, 1e7, len(GRID))
    law = type(law)(np.repeat(law.logs, 2, axis=0) + [[0], [1]], np.repeat(law.powers, 2, axis=0))
    for examples in (2e6, n):
        logs = log_factors(GRID, examples)
        terms = [
            np.exp(law.logs[:, t, None] + law.powers[:, t] @ logs.T)
            for t in range(law.logs.shape[1])
        ]
        whole = law(GRID, examples)
        assert whole == pytest.approx(sum(terms), rel=1e-12)
        monkeypatch.setattr(video_forms, "_BLOCK", 7)
        assert np.array_equal(law(GRID, examples), whole)
        monkeypatch.undo()
