"""The seams: what a model, a step of training or an encoder offers to the rest. No implementation.

Each protocol stands here from the day it has a user, and everything at that seam is one.
"""

from tastemaker.seams.federating import (
    Broadcast,
    ClientData,
    Engine,
    Federable,
    Grouped,
    Outputs,
    Remembers,
    Reply,
)
from tastemaker.seams.foreign import Encode, Generate, Index
from tastemaker.seams.heads import Headed, HeadFacts, Steering
from tastemaker.seams.reasoning import Reasoning, ReasoningFacts, Said, Thought
from tastemaker.seams.recommending import (
    Counting,
    Encoder,
    Growing,
    Learned,
    Placing,
    Recommender,
    Shape,
)
from tastemaker.seams.training import Paced, Stage, Staged, Starts, Step, Steps, Trainable

__all__ = [
    "Broadcast",
    "ClientData",
    "Counting",
    "Encode",
    "Encoder",
    "Engine",
    "Federable",
    "Generate",
    "Grouped",
    "Growing",
    "HeadFacts",
    "Headed",
    "Index",
    "Learned",
    "Outputs",
    "Paced",
    "Placing",
    "Reasoning",
    "ReasoningFacts",
    "Recommender",
    "Remembers",
    "Reply",
    "Said",
    "Shape",
    "Stage",
    "Staged",
    "Starts",
    "Steering",
    "Step",
    "Steps",
    "Thought",
    "Trainable",
]
