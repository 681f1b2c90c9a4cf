"""Error as a sum of powers of model size, frames, tokens a frame and fine-tuning examples.

With x = (N parameters, T frames, V tokens a frame) and n examples, and all parameters above 0:

- `mult`: alpha N^-a T^-a' V^-a'' n^-d + eps
- `add`: sum over k of alpha_k x_k^-a_k, + xi n^-d + eps
- `add-interact`: the same + sum over k of beta_k x_k^b_k n^-d: a richer input needs more data, so
  the best x moves with n
- `add-interact-s`: the same with one b for all

Each is `sum_t exp(log c_t + powers_t . log(x, n))`, a posynomial: convex in logarithms, which is
what fitting (`video_fit`) and the frontier (`video_frontier`) build on. A factor that does not vary
in the data has no term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
"""Rows of an array."""
Form = Literal["mult", "add", "add-interact", "add-interact-s"]
FORMS: tuple[Form, ...] = get_args(Form)
FACTORS = ("parameters", "frames", "tokens", "examples")
"""What an error depends on, in the order of every array: N, T, V and n."""
EXAMPLES = 3
"""Place of n among them."""
_BLOCK = 8192
"""Configurations whose terms are added up at a time: a grid may be of any size."""


@dataclass(frozen=True)
class Exponent:
    """A parameter above 0 that is the power of a factor in a term."""

    parameter: str
    factor: int
    sign: int
    """-1: the factor lowers the term"""


@dataclass(frozen=True)
class Term:
    """One summand: a coefficient times powers of factors."""

    coefficient: str
    exponents: tuple[Exponent, ...] = ()


def terms_of(form: Form, active: Sequence[bool] = (True,) * 4) -> tuple[Term, ...]:
    """The summands of a form.

    Args:
        form: Which one.
        active: (4,) the factors that vary; the others have no part in it.
    """
    inputs = [k for k in range(EXAMPLES) if active[k]]
    learns = (Exponent("d", EXAMPLES, -1),) if active[EXAMPLES] else ()
    falls = {k: Exponent(f"a_{FACTORS[k]}", k, -1) for k in inputs}
    floor = Term("eps")
    if form == "mult":
        return (Term("alpha", (*falls.values(), *learns)), floor)
    terms = [Term(f"alpha_{FACTORS[k]}", (falls[k],)) for k in inputs]
    if learns and form != "add":
        shared = form == "add-interact-s"
        for k in inputs:
            rises = Exponent("b" if shared else f"b_{FACTORS[k]}", k, 1)
            terms.append(Term(f"beta_{FACTORS[k]}", (rises, *learns)))
    if learns:
        terms.append(Term("xi", learns))
    return (*terms, floor)


@dataclass(frozen=True)
class Layout:
    """Where each of P parameters stands, and how it makes the T terms."""

    terms: tuple[Term, ...]
    names: tuple[str, ...]
    """(P,) coefficients first, then exponents"""
    coefficients: int
    """how many of them are coefficients, T of them: one a term"""

    @staticmethod
    def of(form: Form, active: Sequence[bool] = (True,) * 4) -> Layout:
        """The layout of a form."""
        terms = terms_of(form, active)
        coefficients = [term.coefficient for term in terms]
        exponents = [one.parameter for term in terms for one in term.exponents]
        return Layout(terms, (*coefficients, *dict.fromkeys(exponents)), len(terms))

    def design(self, logs: Floats) -> Floats:
        """(m, 4) log factors → (m, T, P): log of a term = design · (log c, exponents)."""
        made = np.zeros((len(logs), len(self.terms), len(self.names)))
        for t, term in enumerate(self.terms):
            made[:, t, t] = 1
            for one in term.exponents:
                made[:, t, self.names.index(one.parameter)] += one.sign * logs[:, one.factor]
        return made

    def powers(self, values: Floats, centre: Floats, scale: float) -> PowerSum:
        """Parameters of R fits as sums of powers of raw factors.

        Args:
            values: (R, P) log coefficients and exponents of scaled factors.
            centre: (4,) logs of what the factors were divided by.
            scale: Log of what the error was divided by.
        """
        powers = np.zeros((len(values), len(self.terms), len(FACTORS)))
        for t, term in enumerate(self.terms):
            for one in term.exponents:
                powers[:, t, one.factor] += one.sign * values[:, self.names.index(one.parameter)]
        logs = values[:, : self.coefficients] + scale - powers @ centre
        return PowerSum(logs, powers)


@dataclass(frozen=True, eq=False)
class PowerSum:
    """R functions of (x, n), each a sum of T powers: `sum_t exp(logs_t + powers_t . log(x, n))`."""

    logs: Floats
    """(R, T) log coefficients"""
    powers: Floats
    """(R, T, 4) exponents of N, T, V and n"""

    def __len__(self) -> int:
        return len(self.logs)

    def __call__(self, x: Floats, n: Floats | float) -> Floats:
        """(G, 3) configurations and (G,) or one number of examples → (R, G) errors."""
        logs = log_factors(x, n)
        errors: Floats = np.zeros((len(self), len(logs)))
        sizes = [np.unique(column, return_inverse=True) for column in logs.T]
        for t in range(self.logs.shape[1]):
            powers, factors = self.powers[:, t], []
            fixed = self.logs[:, t]
            for k, (values, _) in enumerate(sizes):
                if len(values) == 1:
                    fixed = fixed + powers[:, k] * values[0]
                elif powers[:, k].any():
                    factors.append(k)
            if len(factors) == 1:  # sizes of a grid repeat: each is raised once
                values, places = sizes[factors[0]]
                raised = np.exp(fixed[:, None] + powers[:, factors] * values)
            for start in range(0, len(logs), _BLOCK):
                some = slice(start, start + _BLOCK)
                if len(factors) == 1:
                    errors[:, some] += raised[:, places[some]]
                else:
                    spread = np.einsum("rf,gf->rg", powers[:, factors], logs[some, factors])
                    errors[:, some] += np.exp(fixed[:, None] + spread)
        return errors

    def at(self, n: float) -> PowerSum:
        """The same for one number of examples: n is in the coefficients, and no power has it."""
        powers = self.powers.copy()
        powers[:, :, EXAMPLES] = 0
        return PowerSum(self.logs + self.powers[:, :, EXAMPLES] * np.log(n), powers)


def log_factors(x: Floats, n: Floats | float) -> Floats:
    """(m, 3) configurations and their examples → (m, 4) logarithms."""
    logs: Floats = np.log(np.column_stack([x, np.broadcast_to(n, len(x))]))
    return logs
