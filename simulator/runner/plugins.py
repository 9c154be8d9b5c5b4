"""Verbs from other packages: the entry points of the group ``s2sim.verbs``.

Knows where they are found. An entry point names an object with `VERBS` (a list of `scenario.steps.Verb`) and `ACTS`
(name -> async function, as in `world.stage.Act`).
"""

from __future__ import annotations

from importlib.metadata import entry_points

from simulator.scenario import steps

GROUP = "s2sim.verbs"


class PluginError(Exception):
    """A plug-in cannot be used: says which and why."""


def load_verbs() -> None:
    """Add the verbs of every plug-in to the tables. Raises PluginError."""
    for point in entry_points(group=GROUP):
        # Here and not above: the acts load the whole world, and there is hardly ever a plug-in.
        from simulator.world.acts import table

        try:
            plugin = point.load()
            steps.register(plugin.VERBS)
            table.register(plugin.ACTS)
        except Exception as error:
            raise PluginError(f"the plug-in {point.name} ({point.value}) cannot be used: {error}") from error
