"""One session of the Lync Server Management Shell, on a running gateway or on a configuration.

Knows which cmdlets there are. Does not know how they are typed in.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.gateway.configuration import Configuration
from simulator.gateway.management import (
    global_settings,
    partners,
    policies,
    services,
    sip_domains,
    sites,
    synthetic,
    users,
)
from simulator.gateway.management.change import Apply, Desk, Find
from simulator.gateway.management.running import Running
from simulator.powershell.builtin import BUILTIN
from simulator.powershell.errors import ShellError, Source
from simulator.powershell.evaluation import Ask, Interpreter, Outcome
from simulator.powershell.help import help_cmdlets


class Session:
    """A session; variables live as long as it does.

    `read` gives the configuration that counts, `apply` makes another one count. `running` is the gateway, where one
    runs; `ask` answers -Confirm; `find` is what the gateway's rules find wrong with a configuration.
    """

    def __init__(
        self,
        read: Callable[[], Configuration],
        apply: Apply,
        *,
        running: Running | None = None,
        find: Find | None = None,
        ask: Ask | None = None,
    ) -> None:
        desk = Desk(read=read, apply=apply, find=find)
        own = (
            *partners.cmdlets(desk),
            *global_settings.cmdlets(desk),
            *policies.cmdlets(desk),
            *users.cmdlets(desk),
            *sites.cmdlets(desk),
            *sip_domains.cmdlets(desk),
            *services.cmdlets(running),
            *synthetic.cmdlets(desk, running),
        )
        self._interpreter = Interpreter((*BUILTIN, *own, *help_cmdlets((*BUILTIN, *own))), ask)

    async def run(self, text: str, *, name: str = "", stop: bool = False) -> Outcome:
        """Run lines; `name` is the file that they are from. With `stop` the first error ends them."""
        return await self._interpreter.run(Source(text, name), stop=stop)


class Sheet:
    """A configuration that nothing runs on: what `read` and `apply` of a session need."""

    def __init__(self, configuration: Configuration) -> None:
        self.first = self.configuration = configuration

    def read(self) -> Configuration:
        """The configuration as it is now."""
        return self.configuration

    def apply(self, configuration: Configuration) -> None:
        """Let another one count."""
        self.configuration = configuration

    @property
    def changed(self) -> bool:
        """Whether it is another one than at first."""
        return self.configuration != self.first


def place(error: ShellError, text: str, name: str) -> str:
    """``FILE:LINE:COLUMN: what is wrong``, for those who read one line."""
    line, column = Source(text).place(error.extent.start)
    hint = f"\n  {error.hint}" if error.hint else ""

    return f"{name}:{line}:{column}: {error.message}{hint}"
