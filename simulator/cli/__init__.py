"""The command line: parses, calls, and returns the exit code.

Knows errors and exit codes. The commands are `commands`, what they have in common is `lookup` and `session`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import cast

import typer

from simulator.cli.commands import app
from simulator.cli.lookup import WrongUse
from simulator.document import DocumentError

USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; prints errors in one line."""
    # Both typer's own copy of click and click itself call it so.
    kinds = (kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    wrong_options = cast("type[typer.BadParameter]", next(kinds))

    try:
        command = typer.main.get_command(app)
        given = None if argv is None else list(argv)

        return int(command.main(given, prog_name="s2sim", standalone_mode=False) or 0)
    except wrong_options as error:
        where = getattr(getattr(error, "ctx", None), "command_path", "s2sim")
        print(f"s2sim: {error.format_message()} (see `{where} --help`)", file=sys.stderr)
        return USAGE
    except (WrongUse, DocumentError) as error:
        print(f"s2sim: {error}", file=sys.stderr)
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        print("s2sim: interrupted before anything was played", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read us has seen enough (`s2sim list | head`); what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
