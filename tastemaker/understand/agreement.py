"""Agreement: of several replies to one question, what most say, and whether they say the same.

With N things that r raters each put into one of C categories, n_ic of them thing i into c,

    P_i = (Σ_c n_ic² − r) / (r (r − 1))     p_c = Σ_i n_ic / (N r)
    Fleiss' κ = (mean P − Σ p_c²) / (1 − Σ p_c²)

1: they always agree; 0: as often as by chance; below: less often. Where everything is put into one
category there is no chance to disagree, and κ is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput


def fleiss_kappa(votes: npt.ArrayLike) -> float | None:
    """Fleiss' κ.

    Args:
        votes: (N, C) how many raters put thing i into category c; rows of one sum, 2 or more.

    Returns:
        κ; None without things, or where all votes are for one category.

    Raises:
        BadInput: If things have different numbers of raters, or fewer than two.
    """
    table = np.asarray(votes, np.float64)
    if not table.size:
        return None
    raters = table.sum(1)
    if table.ndim != 2 or (raters != raters[0]).any() or raters[0] < 2 or (table < 0).any():
        what = "Agreement needs the same raters for everything, two or more."
        raise BadInput(what, "votes", "Leave out what not all of them rated.")
    many = raters[0]
    agreed = ((table**2).sum(1) - many) / (many * (many - 1))
    by_chance = float(((table.sum(0) / table.sum()) ** 2).sum())
    if by_chance >= 1 - 1e-12:
        return None
    return (float(agreed.mean()) - by_chance) / (1 - by_chance)


def majority(replies: Sequence[Sequence[int] | None]) -> list[int] | None:
    """Numbers that more than half of the replies name.

    Args:
        replies: The numbers that each names, each once; None: it could not be read, and does not
            vote.

    Returns:
        Those of most votes first, of equals the one named first; None where none could be read.
    """
    read = [reply for reply in replies if reply is not None]
    if not read:
        return None
    votes = Counter(number for reply in read for number in dict.fromkeys(reply))
    return [number for number, many in votes.most_common() if 2 * many > len(read)]
