"""Plays scenarios and records what happens; judges nothing."""
