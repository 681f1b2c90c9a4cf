"""Nearest neighbours: exact while that is cheap, then faiss, measured against exact."""
