"""Generated worlds whose right answers are known."""
