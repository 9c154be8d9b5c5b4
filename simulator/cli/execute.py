"""Parses the command line, calls the command, and turns errors into one line and an exit code.

Knows errors and exit codes. The commands are `commands`, what they have in common is `lookup` and `session`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import cast

import typer

from simulator.cli.commands import Interrupted, ReaderGone, app
from simulator.cli.lookup import WrongUse
from simulator.document import DocumentError

USAGE = 2


def execute(argv: Sequence[str] | None) -> int:
    """Run a command and return its exit code; raises KeyboardInterrupt when it was cut before it began to play."""
    # Both typer's own copy of click and click itself call it so.
    kinds = (kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    wrong_options = cast("type[typer.BadParameter]", next(kinds))

    try:
        command = typer.main.get_command(app)
        given = None if argv is None else list(argv)

        code = int(command.main(given, prog_name="s2sim", standalone_mode=False) or 0)

        if sys.stdout is not None:
            # Short output is written only now: we want to be here when its reader is gone.
            sys.stdout.flush()

        return code
    except wrong_options as error:
        where = getattr(getattr(error, "ctx", None), "command_path", "s2sim")
        print(f"s2sim: {error.format_message()} (see `{where} --help`)", file=sys.stderr)
        return USAGE
    except (WrongUse, DocumentError) as error:
        print(f"s2sim: {error}", file=sys.stderr)
        return USAGE
    except (Interrupted, typer.Abort):
        raise KeyboardInterrupt from None
    except (ReaderGone, BrokenPipeError):
        # Whoever read us has seen enough; what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
