"""``s2sim doctor``: goes through the documents' troubleshooting list and says what to do.

Knows how findings are printed. Does not know what is examined.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.lookup import WrongUse

if TYPE_CHECKING:
    from simulator.gateway.configuration import Configuration
    from simulator.gateway.examination.finding import Finding


def doctor(
    control: Annotated[
        Path | None, typer.Option("--control", metavar="SOCKET", help="The control socket of a running gateway.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="A configuration, of which nothing runs yet.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Look for what keeps people from talking: services, ports, DNS, certificates, partners, routes, policies.

    Exit codes: 0 nothing fails; 1 something does; 2 wrong use.
    """
    configuration, status = _subject(control, config)
    findings = asyncio.run(_examined(configuration, status, quiet=as_json))

    if as_json:
        data = [
            {"level": each.level.value, "subject": each.subject, "text": each.text, "advice": each.advice}
            for each in findings
        ]
        print(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        counts = [sum(each.level.value == level for each in findings) for level in ("OK", "WARN", "FAIL")]
        print("\n{} in order, {} to look at, {} wrong".format(*counts))

    return int(any(each.level.value == "FAIL" for each in findings))


def _subject(control: Path | None, config: Path | None) -> tuple[Configuration, dict[str, Any] | None]:
    import msgspec

    from simulator.gateway.configuration import Configuration, read_configuration
    from simulator.gateway.control_client import ControlClient, NoGateway

    if (control is None) == (config is None):
        raise WrongUse("which gateway? name a running one with --control SOCKET, or a file with --config FILE")

    if config is not None:
        return read_configuration(config), None

    try:
        with ControlClient(control or Path()) as client:
            return msgspec.convert(client.configuration(), Configuration), client.status()
    except NoGateway as error:
        raise WrongUse(str(error)) from None


async def _examined(configuration: Configuration, status: dict[str, Any] | None, *, quiet: bool) -> list[Finding]:
    """Print each finding as soon as it is there: a partner that does not answer takes its time."""
    from simulator.gateway.examination.examination import examine
    from simulator.report.escape import harmless

    findings = []

    async for finding in examine(configuration, status):
        findings.append(finding)

        if not quiet:
            print(harmless(f"{finding.level.value:<5} {finding.subject}: {finding.text}"), flush=True)

            if finding.advice:
                print(harmless(f"      → {finding.advice}"), flush=True)

    return findings
