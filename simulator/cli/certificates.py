"""``s2sim certificates``: lists the kinds of certificates that partners may show, and writes some for use elsewhere.

Knows files and what to do with them. What each kind is stands in the catalogue.
"""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from simulator.cli.lookup import WrongUse, write

if TYPE_CHECKING:
    from simulator.world.ca import CertificateAuthority, Minted
    from simulator.world.certificates.catalogue import Kind

#: instead of names: every kind that the domain can have
ALL = "all"
WORDS = {True: "yes", False: "no", None: "open"}
WIDTH = 118


def certificates(
    kinds: Annotated[
        list[str] | None, typer.Argument(metavar="[KIND]...", help="Which to write; all: every one. [none: list them]")
    ] = None,
    domain: Annotated[str, typer.Option(metavar="D", help="Whom they are for.")] = "",
    output: Annotated[Path | None, typer.Option(metavar="DIR", help="Where they go.", show_default=False)] = None,
    host: Annotated[str, typer.Option(metavar="HOST", help="The host for host-name-only. [xmpp.D]")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, metavar="N", help="How long those are good that are.")] = 365,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """List the kinds of certificates that partners may show, or write some of them for use elsewhere."""
    from simulator.world.certificates.catalogue import KINDS

    if not kinds:
        if domain or output:
            raise WrongUse(f"which kinds? name them, or write {ALL}; `s2sim certificates` lists them")

        listed = [json.dumps(msgspec.to_builtins(list(KINDS.values())), indent=2, ensure_ascii=False)]
        _print_all(listed if as_json else _listing(list(KINDS.values())))

        return 0

    if as_json:
        raise WrongUse("--json is for the list of kinds; certificates are written in PEM")

    if not domain or output is None:
        raise WrongUse("name whom they are for with --domain D, and where they go with --output DIR")

    _print_all(_write_some(kinds, domain, output, host, timedelta(days=days)))

    return 0


def _listing(kinds: list[Kind]) -> Iterator[str]:
    width = max(len(kind.name) for kind in kinds)
    head = f"{'':{width}}  client server"
    yield f"{head}  whether a federated domain may show it as TLS client and as TLS server"

    for group, members in groupby(kinds, key=lambda kind: kind.group):
        yield ""
        yield group.upper()

        for kind in members:
            verdict = f"{WORDS[kind.acceptable_as_client]:<6} {WORDS[kind.acceptable_as_server]:<6}"
            text = f"{kind.says} [{kind.source}]" + (f"; open: {kind.leeway}" if kind.leeway else "")
            first = f"{kind.name:<{width}}  {verdict}  "
            yield from textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


def _write_some(kinds: list[str], domain: str, output: Path, host: str, lifetime: timedelta) -> list[str]:
    """Make certificates of these kinds and write their files; gives what there is to say of them. Raises WrongUse."""
    from simulator.world.ca import CertificateAuthority

    if (output / "authority.pem").exists():
        why = "is there already, and each time the authority is another"
        raise WrongUse(f"{output / 'authority.pem'}: {why}; choose another --output DIR")

    with CertificateAuthority() as authority:
        found = _minted(authority, kinds, domain, host, lifetime)
        files = dict(_files(authority, found))
        write(lambda: _write_files(output, files))

    return [*(f"{output / name}  {says}" for name, (_, says) in files.items()), *_what_next(output, found)]


def _minted(
    authority: CertificateAuthority, kinds: list[str], domain: str, host: str, lifetime: timedelta
) -> list[Minted]:
    from simulator.world.certificates.catalogue import KINDS, UnknownKind, kind_of
    from simulator.world.certificates.request import CannotMint

    found: list[Minted] = []

    for name in KINDS if kinds == [ALL] else dict.fromkeys(kinds):
        try:
            found.append(authority.mint(kind_of(name).name, domain, host=host, lifetime=lifetime))
        except CannotMint as error:
            # Any domain can have some kind, and the first of the catalogue is for all of them.
            if kinds != [ALL] or not found:
                raise WrongUse(str(error)) from None
        except UnknownKind as error:
            raise WrongUse(str(error)) from None

    return found


def _files(authority: CertificateAuthority, found: list[Minted]) -> Iterator[tuple[str, tuple[bytes, str]]]:
    """File name -> what is in it, and a word about it."""
    from simulator.world.certificates.catalogue import KINDS
    from simulator.world.certificates.register import ELSEWHERE, SERVED

    for minted in found:
        along = minted.certificate.read_bytes().count(b"BEGIN CERTIFICATE") - 1
        chain = f"; behind it what is sent along, {along} more" if along else ""
        yield f"{minted.kind}.pem", (minted.certificate.read_bytes(), KINDS[minted.kind].says + chain)
        yield f"{minted.kind}.key", (minted.key.read_bytes(), "its private key")

    yield (
        "authority.pem",
        (authority.authority.read_bytes(), "the authority; trust it where you test, and nowhere else"),
    )
    yield "revocation-list.pem", (authority.revocation_list.read_bytes(), "its list of revoked certificates")

    for name, says in SERVED.items():
        if name != "silent" and any(_points_to(minted, name) for minted in found):
            place = f"{ELSEWHERE}/DOMAIN/{name}.crl"
            yield f"{name}.crl", (authority.served_list(name), f"to be served as {place}; {says}")


def _points_to(minted: Minted, list_name: str) -> bool:
    lists = {"current": {"revoked-http", "distribution-point"}, "stale": {"crl-stale"}, "forged": {"crl-forged"}}

    return minted.kind in lists[list_name]


def _write_files(output: Path, files: dict[str, tuple[bytes, str]]) -> None:
    output.mkdir(parents=True, exist_ok=True)

    def private(path: str, flags: int) -> int:
        return os.open(path, flags, 0o600)

    for name, (data, _) in files.items():
        with open(output / name, "wb", opener=private if name.endswith(".key") else None) as file:
            file.write(data)


def _what_next(output: Path, found: list[Minted]) -> Iterator[str]:
    first = output / f"{found[0].kind}.pem"
    verify = f"openssl verify -x509_strict -CAfile {output / 'authority.pem'}"

    yield ""
    yield "What OpenSSL makes of it, and what stands in it:"
    yield f"  {verify} -untrusted {first} {first}"
    yield f"  openssl x509 -in {first} -noout -text"

    if any(minted.kind == "revoked" for minted in found):
        yield "With a look at the list of revoked certificates:"
        yield f"  {verify} -crl_check -CRLfile {output / 'revocation-list.pem'} {output / 'revoked.pem'}"


def _print_all(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
