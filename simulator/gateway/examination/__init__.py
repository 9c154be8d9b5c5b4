"""The documents' troubleshooting list, gone through: what is in order, what is not, and what to do about it."""
