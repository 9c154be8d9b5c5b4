"""The commands of ``s2sim`` and their options: each calls, prints, and returns the exit code.

Knows options. Whatever is heavy is loaded by the command that needs it.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from simulator.cli.certificates import certificates
from simulator.cli.compare import compare
from simulator.cli.doctor import doctor
from simulator.cli.gateway import gateway
from simulator.cli.lookup import (
    WrongUse,
    journal_files,
    journal_folder,
    ledger_of,
    requirements_of,
    scenario_folder,
    seats_for,
    selected,
    write,
)
from simulator.cli.shell import shell
from simulator.cli.status import status

if TYPE_CHECKING:
    from simulator.journal import Entry
    from simulator.report.results import Result

OUTPUT = Path("reports/last")
EXAMPLES = """\
Brings up a gateway beside fake federated partners, plays scenarios, and judges what was seen.

\b
  s2sim run                              play every scenario on the embedded gateway
  s2sim run --system prosody             the same against Prosody
  s2sim run dialback 'qrk/*'             folders, globs and ids select
  s2sim run covers:DBK-032               whatever covers a requirement
  s2sim run --mutant NAME                a gateway with a deliberate defect: see it go red
  s2sim show dialback/wrong-key          what a scenario does, and the rules behind it
  s2sim judge reports/last               verdicts again, from saved journals
  s2sim compare RUN RUN                  which verdicts differ between runs; --matrix for a table
  s2sim up                               keep a world up, and see where everything listens
  s2sim steps                            the words that scenarios are written in
  s2sim certificates                     the certificates that partners may show, right and wrong
  s2sim gateway --config FILE            the gateway alone; --control SOCKET lets one administer it
  s2sim shell --control SOCKET           its management shell; `status` and `doctor` look at it

Exit codes: 0 all good; 1 a failure that no ledger explains, or one that it should no longer; 2 wrong use;
3 inconclusive, or our own fault; 130 interrupted; 141 nobody reads the output any more.
"""


class Interrupted(Exception):  # noqa: N818 - says what happened
    """Ctrl-C while a command was at work."""


class ReaderGone(Exception):  # noqa: N818 - says what happened
    """Nobody reads any more what a command prints (``s2sim list | head``)."""


class Commands(TyperGroup):
    """All commands. Typer would turn Ctrl-C and a lost reader into exit codes of its own; we have others."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        with _says_so():
            return super().make_context(*given, **more)

    def invoke(self, ctx: Any) -> Any:
        with _says_so():
            return super().invoke(ctx)


@contextmanager
def _says_so() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted from None
    except BrokenPipeError:
        raise ReaderGone from None


#: No rich here: one plain line for each mistake, and help that starts quickly.
app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Selectors = Annotated[
    list[str] | None, typer.Argument(metavar="[SELECTOR]...", help="Ids, folders, globs, or covers:REQUIREMENT.")
]
Scenarios = Annotated[
    Path | None, typer.Option("--scenarios", metavar="DIR", help="Where they are. [./scenarios, else those installed]")
]
System = Annotated[
    str, typer.Option("--system", metavar="NAME", help="embedded, embedded-process, embedded-apart, prosody, ejabberd.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same names, ids and keys.")]
Mutant = Annotated[str, typer.Option("--mutant", metavar="NAME", help="A deliberate defect of the embedded gateway.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ledger = Annotated[
    Path | None, typer.Option("--ledger", metavar="FILE", help="Expected failures. [reports/ledgers/SYSTEM.yaml]")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from simulator.world.systems.embedded import package_version

        print(f"s2sim {package_version()}")
        raise typer.Exit


@app.callback(invoke_without_command=True, help=EXAMPLES)
def _top(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


app.add_typer(gateway, name="gateway")
app.command()(certificates)
app.command()(compare)
app.command()(doctor)
app.command()(shell)
app.command()(status)


@app.command()
def run(
    selectors: Selectors = None,
    system: System = "embedded",
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many scenarios at once. [16 for each process]")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many processes play. [one for each core, at most 4]")
    ] = None,
    seed: Seed = 1,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where journals and run.json go.")] = OUTPUT,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there, too.")
    ] = None,
    mutant: Mutant = "",
    scenarios: Scenarios = None,
    ledger: Ledger = None,
    strict: Annotated[bool, typer.Option("--strict", help="A warning counts as a failure.")] = False,
    keylog: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append the TLS secrets there, for Wireshark to read a capture.")
    ] = None,
) -> int:
    """Play scenarios on a system, and say what each came to."""
    from simulator.cli.keylog import logging_keys
    from simulator.cli.session import crew_for, play_and_judge, undisturbed, until_interrupted
    from simulator.cli.vocabulary import check_words
    from simulator.report.console import ConsoleReport
    from simulator.report.results import Run, prepare_json, write_json
    from simulator.verdict import Outcome, settle

    folder = scenario_folder(scenarios)
    chosen, requirements = selected(folder, selectors), requirements_of(folder)
    check_words(chosen)
    expected = ledger_of(folder, system, ledger)
    seats = seats_for(system, seed, mutant)
    crew = crew_for(len(chosen), jobs, processes)
    results: list[Result] = []
    began = time.monotonic()
    write(partial(prepare_json, output / "run.json"))

    if json_file is not None:
        write(partial(prepare_json, json_file), "--json FILE")

    # The journals of the last run go when nothing of what was asked for can be wrong any more.
    with logging_keys(keylog), nullcontext(journal_folder(output)) as journals, ConsoleReport(len(chosen)) as report:

        def played(result: Result) -> None:
            results.append(result)
            report.played(result)

        try:
            cut = until_interrupted(play_and_judge(chosen, seats, mutant, crew, journals, played))
        except BrokenPipeError:
            # Whoever read us has gone: that interrupts the run, too, and what was played is kept.
            cut = signal.SIGPIPE

    with undisturbed():
        order = {one.id: number for number, one in enumerate(chosen)}
        results.sort(key=lambda result: order[result.scenario.id])
        version = next((one.version for one in results if one.version), "")
        complete = Run(system, version, seed, time.monotonic() - began, results, mutant)
        settlement = settle([result.verdict for result in results], expected, strict=strict)
        explained = {id(verdict) for verdict, _ in settlement.expected}
        shown = {Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR} | ({Outcome.WARN} if strict else set())
        bad = [one for one in results if one.verdict.outcome in shown and id(one.verdict) not in explained]

        try:
            report.failures(bad, complete, requirements, "" if scenarios is None else str(scenarios))
            report.settled(settlement)
            report.summary(complete, settlement, journals, keylog, cut=bool(cut), planned=len(chosen))
        finally:
            write(partial(write_json, complete, output / "run.json"))

            if json_file is not None:
                write(partial(write_json, complete, json_file), "--json FILE")

    return 128 + cut if cut else settlement.exit_code


@app.command("list")
def list_(selectors: Selectors = None, scenarios: Scenarios = None, as_json: AsJSON = False) -> int:
    """List scenarios: id and claim."""
    from simulator.report import listing

    found = selected(scenario_folder(scenarios), selectors)
    _print_all([_pretty(listing.scenarios_as_json(found))] if as_json else listing.scenarios(found))

    return 0


@app.command()
def show(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A scenario, or a selector of several.")],
    scenarios: Scenarios = None,
) -> int:
    """Show what a scenario does, and the sentences of the requirements that it covers."""
    from simulator.report import listing

    folder = scenario_folder(scenarios)
    requirements = requirements_of(folder)

    for one in selected(folder, [identifier]):
        _print_all([*listing.scenario(one, requirements), ""])

    return 0


@app.command()
def judge(
    journals: Annotated[list[Path], typer.Argument(metavar="JOURNAL...", help="Files, or folders of a run.")],
    scenarios: Scenarios = None,
    ledger: Ledger = None,
) -> int:
    """Compute the verdicts again from saved journals."""
    from simulator.journal import JournalError, load
    from simulator.report.escape import harmless
    from simulator.verdict import judge as judged
    from simulator.verdict import settle

    folder = scenario_folder(scenarios)
    known = {one.id: one for one in selected(folder, None)}
    verdicts, systems = [], set()

    for file in journal_files(journals):
        try:
            entries = load(file)
        except JournalError as error:
            raise WrongUse(str(error)) from None

        head = entries[0].data
        name, system = head.get("scenario"), head.get("system")

        if not isinstance(name, str):
            raise WrongUse(f"{file}:1: a journal begins with its run; this one was cut, or is none of `s2sim run`")

        scenario = known.get(name)

        if scenario is None:
            raise WrongUse(f"{file}: no scenario in {folder} is called {name!r}; name its --scenarios DIR")

        verdict = judged(scenario, entries)
        verdicts.append(verdict)
        systems.add(str(system.get("name") if isinstance(system, dict) else ""))
        print(f"{verdict.outcome.value:<13}{scenario.id}" + (f": {harmless(verdict.reason)}" if verdict.reason else ""))

    expected = [entry for name in sorted(systems) for entry in ledger_of(folder, name, ledger)]

    return settle(verdicts, expected).exit_code


@app.command()
def steps() -> int:
    """Explain the words that scenarios are written in: verbs, patterns, quirks, faults, profiles."""
    from simulator.report import listing
    from simulator.runner.plugins import load_verbs
    from simulator.world.dns import FAULTS
    from simulator.world.profiles import load_profile, profile_names
    from simulator.world.quirks import QUIRKS

    load_verbs()
    _print_all(listing.verbs())
    _print_all(listing.named("QUIRKS of partners", {name: quirk.says for name, quirk in QUIRKS.items()}))
    _print_all(listing.named("FAULTS of the name server", FAULTS))
    _print_all(listing.named("PROFILES of partners", {name: load_profile(name).says for name in profile_names()}))

    return 0


@app.command()
def coverage(scenarios: Scenarios = None, as_json: AsJSON = False) -> int:
    """Count which requirements the scenarios cover, per family and per specification."""
    from simulator.report import listing
    from simulator.scenario.requirements import coverage as count

    folder = scenario_folder(scenarios)
    counted = count(requirements_of(folder).values(), selected(folder, None))
    _print_all([_pretty(listing.coverage_as_json(counted))] if as_json else listing.coverage(counted))

    return 0


@app.command()
def up(
    selector: Annotated[str, typer.Argument(metavar="[ID]", help="The scenario whose world is wanted.")] = "",
    system: System = "embedded",
    seed: Seed = 1,
    mutant: Mutant = "",
    scenarios: Scenarios = None,
) -> int:
    """Keep a world up until Ctrl-C: say where everything listens, and show what happens."""
    from simulator.cli.session import until_interrupted
    from simulator.report.ladder import line, rungs
    from simulator.runner.up import a_world, stay_up

    one = selected(scenario_folder(scenarios), [selector])[0] if selector else a_world()

    def say(text: str) -> None:
        print(text, flush=True)

    def show_entry(entry: Entry) -> None:
        for rung in rungs([entry]):
            say(line(rung))

    cut = until_interrupted(stay_up(one, seats_for(system, seed, mutant), say, show_entry))

    return 0 if cut else 1


def _pretty(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def _print_all(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=False)
