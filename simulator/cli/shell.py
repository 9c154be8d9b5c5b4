"""``s2sim shell``: the Lync Server Management Shell, on a running gateway or on a configuration file.

Knows prompts, and where lines come from. Does not know what any line does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from simulator.cli.lookup import WrongUse, check_writable, write

if TYPE_CHECKING:
    from simulator.gateway.configuration import Configuration

PROMPT, MORE = "PS C:\\> ", ">> "
#: exit codes of a script: every line was carried out, or one was not
DONE, FAILED = 0, 1

ControlSocket = Annotated[
    Path | None, typer.Option("--control", metavar="SOCKET", help="The control socket of a running gateway.")
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A gateway's configuration (YAML).", show_default=False)
]


class Counterpart(Protocol):
    """Whoever carries out lines."""

    def run(self, text: str, name: str, *, stop: bool) -> bool:
        """Carry out lines, print what they say, and tell whether all went well."""

    def configuration(self) -> Configuration:
        """The configuration as it is now."""

    def close(self) -> None:
        """End the session."""


class Remote:
    """A running gateway behind its control socket."""

    def __init__(self, path: Path) -> None:
        from simulator.gateway.control_client import ControlClient

        self._client = ControlClient(path)

    def run(self, text: str, name: str, *, stop: bool) -> bool:
        """Let the gateway carry out lines."""
        return not self._client.run(text, say, confirmed, name=name, stop=stop)

    def configuration(self) -> Configuration:
        """The gateway's."""
        import msgspec

        from simulator.gateway.configuration import Configuration

        return msgspec.convert(self._client.configuration(), Configuration)

    def close(self) -> None:
        """Leave."""
        self._client.close()


class Offline:
    """A configuration file, of which a copy is changed."""

    def __init__(self, path: Path) -> None:
        from simulator.gateway.configuration import read_configuration
        from simulator.gateway.management.session import Session, Sheet

        self.sheet = Sheet(read_configuration(path))
        self._session = Session(self.sheet.read, self.sheet.apply, ask=_asked)

    def run(self, text: str, name: str, *, stop: bool) -> bool:
        """Carry out lines here."""
        outcome = asyncio.run(self._session.run(text, name=name, stop=stop))

        for line in outcome.lines:
            say(line.stream, line.text)

        return not outcome.errors

    def configuration(self) -> Configuration:
        """The changed copy."""
        return self.sheet.configuration

    def close(self) -> None:
        """Say what is lost."""


def shell(
    control: ControlSocket = None,
    config: ConfigFile = None,
    script: Annotated[
        Path | None, typer.Option("--script", metavar="FILE", help="Run the lines of a file; the first error ends it.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the configuration there in the end (YAML).")
    ] = None,
) -> int:
    """Administer a gateway with the cmdlets of the Lync Server Management Shell.

    With --control on a running gateway: what is changed counts at once, until that gateway ends. With --config on a
    file, of which a changed copy is written with --save. Lines come from --script, standard input, or the prompt.
    """
    if save is not None:
        check_writable(save, "--save FILE")

    counterpart = _counterpart(control, config)

    try:
        good = _play(counterpart, script)

        if save is not None:
            from simulator.gateway.saving import as_yaml

            text = as_yaml(counterpart.configuration())
            write(lambda: _write_private(save, text), "--save FILE")
            print(f"written: {save}", file=sys.stderr)
        elif isinstance(counterpart, Offline) and counterpart.sheet.changed:
            print("s2sim: nothing was written: --save FILE keeps what was changed", file=sys.stderr)
    finally:
        counterpart.close()

    return DONE if good else FAILED


def say(stream: str, text: str) -> None:
    """Print a line of the shell, errors on standard error."""
    from simulator.report.escape import harmless

    shown = text if text.isprintable() else harmless(text)
    print(shown, file=sys.stderr if stream == "error" else sys.stdout, flush=True)


def confirmed(question: str) -> bool | None:
    """Ask what -Confirm asks; None where there is no terminal, and so nobody who could answer."""
    if not sys.stdin.isatty():
        return None

    print(question)

    return input('[Y] Yes  [N] No  (default is "Y"): ').strip().lower() in ("", "y", "yes")


async def _asked(question: str) -> bool | None:
    return await asyncio.to_thread(confirmed, question)


def _counterpart(control: Path | None, config: Path | None) -> Remote | Offline:
    from simulator.gateway.control_client import NoGateway

    if (control is None) == (config is None):
        raise WrongUse("which gateway? name a running one with --control SOCKET, or a file with --config FILE")

    try:
        return Offline(config) if config is not None else Remote(control or Path())
    except NoGateway as error:
        raise WrongUse(str(error)) from None


def _play(counterpart: Counterpart, script: Path | None) -> bool:
    from simulator.gateway.administration import ScriptFailed, read_script
    from simulator.gateway.control_client import NoGateway

    try:
        if script is not None:
            return counterpart.run(read_script(script), str(script), stop=True)

        if not sys.stdin.isatty():
            return counterpart.run(sys.stdin.read(), "", stop=True)

        for text in _typed(input):
            counterpart.run(text, "", stop=False)
    except (NoGateway, ScriptFailed) as error:
        raise WrongUse(str(error)) from None

    return True


def _typed(read: Callable[[str], str]) -> Iterator[str]:
    """What is typed at the prompt: lines, or several where one is not complete. Ends with ``exit`` or Ctrl-D."""
    from contextlib import suppress

    from simulator.powershell.errors import ParseError
    from simulator.powershell.parser import parse

    with suppress(ImportError):
        # Merely to have it loaded gives `input` its history and its keys.
        import readline  # noqa: F401

    lines: list[str] = []

    while True:
        try:
            lines.append(read(MORE if lines else PROMPT))
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            lines.clear()
            continue

        text = "\n".join(lines)

        if text.strip().lower() in ("exit", "quit"):
            return

        try:
            parse(text)
        except ParseError as error:
            # An empty line ends what would otherwise go on for ever.
            if error.incomplete and lines[-1]:
                continue

        lines.clear()

        if text.strip():
            yield text


def _write_private(path: Path, text: str) -> None:
    """A configuration may hold a passphrase."""
    import os

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
