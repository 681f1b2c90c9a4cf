"""Learn from your own answers: signals that need no labels."""
