"""Persons inside the system or at a partner; the same steps for all."""
