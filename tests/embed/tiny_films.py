"""A sweep so small that it takes a second."""

from tastemaker.embed.frame_encoder import EncoderConfig
from tastemaker.embed.video_runs import SweepConfig
from tastemaker.worlds.sprites import parted, shapes

TRAIN, HELD = parted(shapes(4), 0.25)
ENCODER = EncoderConfig((4, 4, 8, 8), epochs=1)
TINY = SweepConfig(
    widths=(16, 32),
    frames=(1, 2),
    tokens=(1, 4),
    examples=(8, 16),
    cells=3,
    epochs=1,
    test=3,
    first=10,
    encoder=ENCODER,
)
