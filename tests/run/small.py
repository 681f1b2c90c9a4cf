"""A model small enough to be trained in a test."""

from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.train.config import FitConfig

MODEL = SASRecConfig(dim=8, layers=1, heads=1, inner=8, history=6)
TRAINING = FitConfig(epochs=3, warmup=5)
