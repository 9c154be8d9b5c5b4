"""Deliberate defects of the embedded gateway: each must turn the scenarios red that name it."""
