"""How the vectors of pictures and of texts lie to each other.

Gap: Mind the Gap, arXiv 2203.02053. Alignment and uniformity: arXiv 2005.10242.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.floating]


def modality_gap(pictures: Vectors, texts: Vectors) -> float:
    """Distance of the mean of (N, d) unit vectors of pictures from that of texts, 0 to 2."""
    between = pictures.mean(0, dtype=np.float64) - texts.mean(0, dtype=np.float64)
    return float(np.linalg.norm(between))


def alignment(pictures: Vectors, texts: Vectors) -> float:
    """Mean squared distance of each picture from its own text, 0 to 4; less is better."""
    return float(((pictures - texts).astype(np.float64) ** 2).sum(1).mean())


def uniformity(vectors: Vectors) -> float:
    """Logarithm of the mean of exp(−2 ‖x − y‖²) over all pairs of (N ≥ 2, d) unit vectors.

    0 where all are one; −8 or so where they lie all over the sphere.
    """
    wide = vectors.astype(np.float64)
    apart = 2 - 2 * (wide @ wide.T)[np.triu_indices(len(wide), 1)]
    return float(np.log(np.exp(-2 * apart.clip(min=0)).mean()))
