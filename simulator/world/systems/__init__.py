"""Who may sit in the seat of the system under test."""
