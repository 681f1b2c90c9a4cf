"""A VRec that is trained in a moment."""

from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.train.config import FitConfig

THINKING = VRecConfig(
    dim=16, layers=1, heads=2, dropout=0.0, history=6, levels=2, size=6, thoughts=2, classes=4,
    verifiers=("collaborative", "category"), verify_epochs=1, joint_epochs=1,
)  # fmt: skip
BRIEFLY = FitConfig(epochs=1, warmup=5)
