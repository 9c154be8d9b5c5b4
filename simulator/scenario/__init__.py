"""Scenarios as data: model, loader, verb table, matching. Pure."""
