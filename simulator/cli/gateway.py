"""The commands of ``s2sim gateway``: run it, and ask for its certificate.

Knows options and what to do next. Whatever is heavy is loaded by the command that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.lookup import WrongUse

if TYPE_CHECKING:
    from simulator.gateway.trust.request import CertificateRequest

gateway = typer.Typer(rich_markup_mode=None)

ROLES = ("all", "edge", "front-end")

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The gateway's configuration (YAML).", show_default=False),
]


@gateway.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    config: Config = None,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="What of it runs in this process: all, edge or front-end.")
    ] = "all",
    pool: Annotated[
        str | None, typer.Option(metavar="FQDN", help="With --role edge: the edges of this pool.", show_default=False)
    ] = None,
    edge: Annotated[
        str | None, typer.Option(metavar="FQDN", help="With --role edge: this Edge Server.", show_default=False)
    ] = None,
    control: Annotated[
        Path | None,
        typer.Option(metavar="SOCKET", help="Answer s2sim shell, status and doctor there.", show_default=False),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Run these lines of the management shell first.", show_default=False),
    ] = None,
) -> int:
    """Run the embedded gateway as a process of its own, until SIGTERM; or prepare that. SIGHUP: read FILE again."""
    if context.invoked_subcommand is not None:
        if config is not None:
            raise WrongUse(f"write --config {config} behind {context.invoked_subcommand}")

        return 0

    if config is None:
        raise WrongUse("which gateway? name its configuration with --config FILE")

    if role not in ROLES:
        raise WrongUse(f"--role {role}: there is no such part of a gateway; known are {', '.join(ROLES)}")

    if role != "edge" and (pool or edge):
        raise WrongUse("--pool and --edge say which edge runs: write --role edge before them")

    from simulator.gateway.gateway import Role
    from simulator.gateway.process import run as run_gateway

    return run_gateway(config, role=Role(role), pool=pool, edge=edge, control=control, script=script)


@gateway.command("request-certificate")
def request_certificate(
    config: Config = None,
    domain: Annotated[
        list[str] | None, typer.Option(metavar="D", help="A domain of the gateway; may be repeated.")
    ] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where request and key go.")] = Path(),
    key_size: Annotated[int, typer.Option(min=2048, max=16384, metavar="BITS", help="The size of the RSA key.")] = 2048,
    webcon: Annotated[bool, typer.Option("--webcon", help="Ask for webcon.DOMAIN, too (web conferences).")] = False,
    srv_names: Annotated[
        bool, typer.Option("--srv-names", help="Ask for SRV-IDs, too (RFC 6120); public authorities refuse them.")
    ] = False,
) -> int:
    """Make a key, and the request for the certificate that the gateway shows to partners."""
    from simulator.gateway.trust.request import RequestError, domains_in, make_request, write_request

    if (config is None) == (not domain):
        raise WrongUse("for which domains? name either the configuration with --config FILE, or each with --domain D")

    try:
        domains = tuple(domain or ()) if config is None else domains_in(config)
        made = make_request(domains, key_size=key_size, web_conferences=webcon, service_names=srv_names)
        request, key = write_request(made, output)
    except RequestError as error:
        raise WrongUse(str(error)) from None

    for line in _what_next(made, request.absolute(), key.absolute()):
        print(line)

    return 0


def _what_next(made: CertificateRequest, request: Path, key: Path) -> Iterator[str]:
    certificate = request.with_suffix(".pem")

    yield f"request      {request}"
    yield f"private key  {key} (readable by you alone; keep it)"
    yield f"subject      {made.names[0]}"
    yield f"names        {', '.join(made.names)}"
    yield ""
    yield "1. Look at the request:"
    yield f"     openssl req -in {request} -noout -verify -text"
    yield "2. Send it to your certification authority, one that your partners trust. It has to be for TLS servers; for"
    yield "   TLS clients as well, if the authority still issues such."
    yield "3. Save what it sends back, the certificate first and the intermediate ones behind it, in PEM, as"
    yield f"     {certificate}"
    yield "4. Name it in the configuration of the gateway (each Edge of a pool gets the same two files):"
    yield "     certificates:"
    yield "       external:"
    yield f"         certificate: {certificate}"
    yield f"         key: {key}"
    yield "5. Restart the gateway: certificates are read when it starts."
