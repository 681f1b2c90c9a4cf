"""Serving: where events are kept, and what answers from them; needs the extra `serve`."""
