import math

import pytest

from tastemaker.errors import BadInput
from tastemaker.federate.checks import above, within


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_numbers_in_their_range_pass(value: float) -> None:
    within("share", value, 0, 1)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, True, "1", None])
def test_others_are_named_with_their_range(value: float) -> None:
    with pytest.raises(BadInput) as refused:
        within("share", value, 0, 1)
    assert refused.value.where == "share" and "from 0 to 1" in refused.value.fix


@pytest.mark.parametrize("value", [0, -1.0, math.inf, math.nan])
def test_zero_is_not_above(value: float) -> None:
    above("temperature", 1e-9)
    with pytest.raises(BadInput):
        above("temperature", value)
