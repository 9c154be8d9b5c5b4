"""Where the commands find what they are told to use: scenarios, requirements, ledgers, systems, folders.

Knows places and what to say when something is not there. Does not know what a command does with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.scenario.ledger import LedgerEntry
    from simulator.scenario.model import Scenario
    from simulator.scenario.requirements import Requirement
    from simulator.world.seating import Seats


class WrongUse(Exception):  # noqa: N818 - says what it is
    """The command cannot do what it was told: one line, and what to do."""


def scenario_folder(given: Path | None) -> Path:
    """The folder that was named, else ./scenarios, else the one that came with the package. Raises WrongUse."""
    package = Path(__file__).parent
    places = [given] if given else [Path("scenarios"), package / "scenarios", package.parent / "scenarios"]

    for place in places:
        if place.is_dir():
            return place

    raise WrongUse(f"there is no folder {places[0]}; name the folder of scenarios with --scenarios DIR")


def selected(folder: Path, selectors: Iterable[str] | None) -> list[Scenario]:
    """The scenarios of a folder that are meant, all of them without selectors. Raises WrongUse, DocumentError."""
    from simulator.runner.plugins import PluginError, load_verbs
    from simulator.scenario.loader import load
    from simulator.scenario.selection import NothingSelected, select

    try:
        load_verbs()
        return select(load(folder), selectors or ())
    except NothingSelected as error:
        raise WrongUse(f"{error}; `s2sim list` names them all") from None
    except PluginError as error:
        raise WrongUse(str(error)) from None


def requirements_of(folder: Path) -> dict[str, Requirement]:
    """The requirements that a folder of scenarios has, by id. Raises DocumentError."""
    from simulator.scenario.requirements import read_requirements

    file = folder / "requirements.yaml"

    return {one.id: one for one in read_requirements(file)} if file.is_file() else {}


def ledger_of(folder: Path, system: str, given: Path | None) -> list[LedgerEntry]:
    """The expected failures of a system, by the file that is given or the usual one. Raises WrongUse, DocumentError."""
    from simulator.scenario.ledger import read_ledger

    if given is not None and not given.is_file():
        raise WrongUse(f"there is no ledger {given}")

    return read_ledger(given or folder.resolve().parent / "reports" / "ledgers" / f"{system}.yaml")


def seats_for(system: str, seed: int, mutant: str) -> Seats:
    """Where scenarios are played: on a system, with a deliberate defect if one is named. Raises WrongUse."""
    from simulator.world.seating import Seats
    from simulator.world.systems.catalogue import UnknownSystem, seat

    try:
        chosen = seat(system)
    except UnknownSystem as error:
        raise WrongUse(str(error)) from None

    if not mutant:
        return Seats(chosen, seed)

    from simulator.world.systems.mutants.catalogue import UnknownMutant, find

    if "mutants" not in chosen.capabilities:
        raise WrongUse(f"{system} has no mutants; --mutant is for --system embedded")

    try:
        return Seats(chosen, seed, find(mutant).rules)
    except UnknownMutant as error:
        raise WrongUse(str(error.args[0])) from None


def journal_folder(output: Path) -> Path:
    """Make the folder for journals, without those of an earlier run."""
    folder = output / "journals"

    def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True)

        for file in folder.glob("*.jsonl"):
            file.unlink()

    write(prepare)

    return folder


def journal_files(given: Iterable[Path]) -> list[Path]:
    """The journals that are given, and those in folders that are. Raises WrongUse where there are none."""
    files = [file for one in given for file in (sorted(one.rglob("*.jsonl")) if one.is_dir() else [one])]

    if not files:
        raise WrongUse("there is no journal in that folder; journals are files *.jsonl, `s2sim run` writes them")

    return files


def check_writable(file: Path, option: str) -> None:
    """Find out, before there is anything to lose, whether a file can be written in the end; what it holds stays.

    Raises WrongUse, which names the option.
    """

    def attempt() -> None:
        if file.is_file() or file.is_dir():
            os.close(os.open(file, os.O_WRONLY | os.O_APPEND))
        elif not file.exists():
            # Made where a link points to: it is that which goes again.
            made = file.resolve() if file.is_symlink() else file
            os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            made.unlink()

    write(attempt, option)


def write(work: Callable[[], None], option: str = "--output DIR") -> None:
    """Do what writes files; raises WrongUse, which names the option that says where."""
    try:
        work()
    except OSError as error:
        raise WrongUse(f"{error.filename}: cannot be written: {error.strerror}; choose another {option}") from None
