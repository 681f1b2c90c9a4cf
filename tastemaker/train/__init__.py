"""The only supervised loop, its checkpoints and what it says while it runs."""
