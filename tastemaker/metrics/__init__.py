"""How good is a ranking? Per-user values first, then means with intervals."""
