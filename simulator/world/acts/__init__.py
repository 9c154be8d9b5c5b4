"""How each verb of a scenario is played in a world."""
