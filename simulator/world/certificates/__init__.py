"""Certificates as a partner may show them: as they should be, or with exactly one thing wrong."""
