"""What accuracy does not see: coverage, diversity, novelty, personalisation (protocol §3.5).

All take `lists` (U, k) of item codes, 0 where a list is shorter. Per-user values come first;
coverage and Gini belong to the whole and have no interval over users.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


def _exposure(lists: Int32s, num_items: int) -> Int64s:
    """(I,) number of lists that hold each item."""
    return np.bincount(lists.ravel(), minlength=num_items + 1)[1:]


def coverage(lists: Int32s, num_items: int) -> float:
    """Share of the catalogue that at least one user is shown."""
    return float((_exposure(lists, num_items) > 0).mean())


def gini(lists: Int32s, num_items: int) -> float:
    """Inequality of exposure: 0 when all items are shown alike, towards 1 when one is."""
    shown = np.sort(_exposure(lists, num_items))
    total = shown.sum()
    if not total:
        return 0.0
    ranks = np.arange(1, num_items + 1)
    return float((2 * ranks - num_items - 1) @ shown / (num_items * total))


def entropy(lists: Int32s, membership: sp.csr_array, count: bool = False) -> Floats:
    """(U,) Shannon entropy in bits of the groups in each list.

    Args:
        lists: (U, k).
        membership: (I, G) 0/1; row j is item code j + 1.
        count: Each label counts 1; default: an item with n labels adds 1/n to each. Shares are
            of what is labelled; a list without any label has 0 bits.
    """
    weights = membership.tocsr().astype(np.float64)
    if not count:
        labels = np.maximum(np.asarray(weights.sum(1)).ravel(), 1)
        weights = sp.csr_array(sp.diags_array(1 / labels) @ weights)
    shares = np.asarray((_incidence(lists, weights.shape[0]) @ weights).todense())
    shares /= np.maximum(shares.sum(1, keepdims=True), 1e-300)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    bits: Floats = np.maximum(0.0, -(shares * logs).sum(1))
    return bits


def novelty(lists: Int32s, train_counts: Int64s) -> Floats:
    """(U,) mean of −log2((n_i + 1) / (n_train + I)) over each list, in bits.

    Args:
        lists: (U, k).
        train_counts: (I,) training events of each item.
    """
    surprise = -np.log2((train_counts + 1) / (train_counts.sum() + len(train_counts)))
    return _mean_over_list(lists, surprise)


def popularity_share(lists: Int32s, train_counts: Int64s, share: float = 0.1) -> Floats:
    """(U,) part of each list in the `share` most frequent training items, ties by lower code."""
    # Rounded first: .29 · 100 is a hair below 29 in binary.
    size = max(1, int(round(share * len(train_counts), 6)))
    top = np.argsort(-train_counts, kind="stable")[:size]
    popular = np.zeros(len(train_counts))
    popular[top] = 1.0
    return _mean_over_list(lists, popular)


def personalisation(lists: Int32s, num_items: int) -> Floats:
    """(U,) dissimilarity to other users' lists.

    PD(u) = 1 − (1/k)·Σ_{i in list} (n_i − 1)/(U − 1), n_i the lists that hold i. Its mean is one
    minus the mean over pairs of users of |common items|/k, exactly. 0 for a single user.

    Give the lists of all users: a bootstrap resamples these values, never the lists, since a user
    drawn twice would fake an overlap (§3.6).
    """
    if len(lists) < 2:
        return np.zeros(len(lists))
    shared = (_exposure(lists, num_items) - 1) / (len(lists) - 1)
    # Over k, not over the length of a shorter list: only so is the mean that of the pairs.
    apart: Floats = 1 - np.concatenate([[0.0], shared])[lists].sum(1) / lists.shape[1]
    return apart


def held_groups(offsets: Int64s, items: Int32s, membership: sp.csr_array) -> npt.NDArray[np.bool_]:
    """(B, G) groups that occur in each row `items[offsets[b]:offsets[b + 1]]` of item codes."""
    first, last = int(offsets[0]), int(offsets[-1])
    columns = items[first:last].astype(np.int64) - 1
    shape = (len(offsets) - 1, membership.shape[0])
    rows = sp.csr_array((np.ones(len(columns)), columns, offsets - first), shape)
    return np.asarray((rows @ membership).todense()) > 0


def explorers(
    context_groups: npt.NDArray[np.bool_], target_groups: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """(U,) users whose targets hold a group absent from their context; both as `held_groups`."""
    return np.asarray((target_groups & ~context_groups).any(1))


def _incidence(lists: Int32s, num_items: int) -> sp.csr_array:
    """(U, I) 0/1 matrix of what each list holds."""
    rows, places = np.nonzero(lists)
    ones = np.ones(len(rows))
    return sp.csr_array((ones, (rows, lists[rows, places] - 1)), (len(lists), num_items))


def _mean_over_list(lists: Int32s, values: Floats) -> Floats:
    """(U,) mean of per-item values over the items of each list; 0 for an empty list."""
    padded = np.concatenate([[0.0], values])
    mean: Floats = padded[lists].sum(1) / np.maximum((lists > 0).sum(1), 1)
    return mean
