"""One torch-free file a group of commands: its options, one lazy call, and its display."""
