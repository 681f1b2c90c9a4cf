"""Foreign models: found on this machine, and turned into vectors."""
