"""Principal axes of vectors, each at the same spread."""

from __future__ import annotations

import torch
from torch import Tensor


def whitening(vectors: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """The largest axes of centred vectors, divided by the spread along them.

    Args:
        vectors: (n, H).
        most: Axes that are wanted.

    Returns:
        (K, H) axes, K at most `most`, H and n; and (H,) the mean. `axes @ (vector - mean)` has
        a variance of 1, less where an axis has under a tenth of the spread of the first; of vectors
        that are all alike it is about 0.
    """
    mean = vectors.mean(0)
    _, spread, axes = torch.linalg.svd(vectors - mean, full_matrices=False)
    width = min(len(axes), most)
    scale = spread[:width] / len(vectors) ** 0.5
    least = torch.stack([0.1 * scale[0], 1e-5 * mean.norm(), scale.new_tensor(1e-12)]).max()
    return axes[:width] / scale.clamp(min=least)[:, None], mean
