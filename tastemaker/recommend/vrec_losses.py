"""What VRec learns from beside the answers: the groups of the next item, and growing certainty.

    L_v = mean over t, b of Σ_i π_i^t · (−log p_i^t[y_i])
    L_mono = Σ_{t≥2} exp( mean over i, b of max(0, H_i^t − H_i^{t−1}) )
    L = L_ce + β (L_v + γ L_mono)

The gate is that of the same step. L_mono is N − 1 where no entropy rises.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tastemaker.recommend.vrec_verifiers import Labels, Verdict


def proxy_loss(verdicts: Sequence[Verdict], labels: Sequence[Labels], items: Tensor) -> Tensor:
    """(B,) what the gated verifiers lose on the groups of the (B,) items that come next, over t.

    An item that is in no group of a verifier says nothing of it.
    """
    lost = []
    for verdict in verdicts:
        pairs = zip(labels, verdict.log_probs, strict=True)
        said = torch.stack([label.log_likelihood(probs, items)[0] for label, probs in pairs], 1)
        lost.append(-(verdict.gate * said).sum(1))
    return torch.stack(lost).mean(0)


def monotonic_loss(entropies: Sequence[Tensor]) -> Tensor:
    """Scalar L_mono of N times (B, M) entropies; 0 where there are fewer than two."""
    if len(entropies) < 2:
        return entropies[0].new_zeros(()) if entropies else torch.zeros(())
    steps = torch.stack([*entropies])
    rises = (steps[1:] - steps[:-1]).relu().flatten(1).mean(1)
    return rises.exp().sum()
