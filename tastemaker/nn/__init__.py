"""Torch parts used by two or more ideas."""
