"""Learn from your own answers: reinforcement learning of language models without labels."""
