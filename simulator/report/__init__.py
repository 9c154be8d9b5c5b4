"""Renderings of journals and verdicts."""
