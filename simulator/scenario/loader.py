"""From files to scenarios: every mistake is reported with its file, line, column and a hint.

Knows the keys of a scenario file. Steps are read by `sentence`, rows by `matrix`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from simulator.document import Document, DocumentError, Path_, parse_document, read_document
from simulator.scenario import matrix
from simulator.scenario.cast import Cast
from simulator.scenario.foreseen import OUTCOMES, Foreseen, foresee
from simulator.scenario.model import (
    DEFAULT_DEADLINE,
    DEFAULT_DOMAINS,
    DEFAULT_PARTNER_USERS,
    DEFAULT_PARTNERS,
    DEFAULT_SYSTEM_USERS,
    DIALECTS,
    PARTNER_KEYS,
    TLS_ABILITIES,
    USER_KEYS,
    Level,
    Partner,
    Scenario,
)
from simulator.scenario.requirements import read_requirements
from simulator.scenario.sentence import StepReader, check_covers, unknown
from simulator.scenario.steps import VERBS

REQUIREMENTS = "requirements.yaml"
PROFILES = "profiles"

#: Keys of a scenario file, for the check and for its hint.
KEYS = {
    "claim": "one sentence that is true or false",
    "covers": "ids of the requirements that it decides",
    "story": "why it matters",
    "level": "must, should or may: what a mismatch means unless a step says otherwise",
    "deadline": "seconds that a step may take",
    "needs": "capabilities of the system",
    "domains": "the system's domains",
    "settings": "what the administrator has set: partner domain -> settings, gateway, configuration",
    "access": "what is set of the access edge: allow-federated-users and the like",
    "policies": "the external access policies: a list of {identity: Global, enable-xmpp-access: false}",
    "negotiation": "inbound or outbound: the oracle says what must come of the step `negotiates`",
    "partners": "who is out there: domain -> profile and quirks",
    "users": "who exists beside the usual cast",
    "given": "steps that must succeed before the claim can be judged",
    "steps": "the steps of the claim",
    "mutants": "deliberate defects of the embedded gateway that must turn it red; or by outcome of the negotiation",
    "matrix": "values of which each combination is a scenario of its own",
}

SETTINGS_KEYS = {"gateway", "configuration"}
#: The capability that scenarios need which say who may reach whom.
POLICIES = "policies"


class _Head(msgspec.Struct, kw_only=True):
    claim: str
    steps: list[Any]
    covers: list[str] = []
    story: str = ""
    mutants: list[str] | dict[str, list[str]] = []
    negotiation: Literal["inbound", "outbound"] | None = None
    level: Level = "must"
    deadline: float = DEFAULT_DEADLINE
    needs: list[str] = []
    domains: list[str] = msgspec.field(default_factory=lambda: list(DEFAULT_DOMAINS))
    settings: dict[str, dict[str, Any]] | None = None
    access: dict[str, Any] = {}
    policies: list[dict[str, Any]] = []
    partners: dict[str, dict[str, Any] | None] = msgspec.field(default_factory=lambda: {**DEFAULT_PARTNERS})
    users: dict[str, dict[str, Any] | None] | list[str] = []
    given: list[Any] = []


def load(path: Path, known: Collection[str] | None = None) -> list[Scenario]:
    """Read a scenario file, or every one below a folder, in the order of their ids.

    Ids are relative to the folder that holds requirements.yaml, if there is one at or above `path`, and `covers` is
    checked against it (or against `known`). Raises DocumentError for the first mistake.
    """
    root = _root(path)

    if known is None and (root / REQUIREMENTS).is_file():
        known = {requirement.id for requirement in read_requirements(root / REQUIREMENTS)}

    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*.yaml")) if _holds_scenario(root, file)]

    if not files:
        raise parse_document("", str(path)).error((), "there is no scenario here", "scenarios are files *.yaml")

    return [scenario for file in files for scenario in read_scenarios(_read_file(file), _identifier(root, file), known)]


def read_scenarios(document: Document, identifier: str, known: Collection[str] | None = None) -> list[Scenario]:
    """Read the scenarios of one document: one, or as many as its matrix has rows. Raises DocumentError."""
    if not isinstance(document.data, dict):
        raise document.error((), "a scenario is a mapping", f"it has: {', '.join(KEYS)}")

    for key in document.data:
        if key not in KEYS:
            raise unknown(document, (key,), "a scenario has no key", key, list(KEYS))

    return [
        _read(matrix.fill(document, row), f"{identifier}[{name}]" if name else identifier, row, known)
        for name, row in matrix.rows(document)
    ]


def _read_file(file: Path) -> Document:
    try:
        return read_document(file)
    except DocumentError as error:
        if not error.message.endswith("mapping values are not allowed here"):
            raise

        # The commonest slip by far: `- gmail.com connects` with `level:` below it.
        hint = "a step that has further keys (level, or, within) ends with a colon itself; text with `: ` needs quotes"
        raise DocumentError(error.name, error.line, error.column, error.message, hint) from None


def _read(document: Document, identifier: str, row: Mapping[str, Any], known: Collection[str] | None) -> Scenario:
    head = document.convert(_Head)
    check_covers(document, ("covers",), head.covers, known)
    partners = {domain: _partner(document, domain, options or {}) for domain, options in head.partners.items()}
    _check_settings(document, head, partners)
    _check_policies(document, head)
    speakers = [name for partner in partners.values() for name in (partner.domain, *partner.domains)]
    users = _users(document, head, partners, speakers)
    foreseen = foresee(document, head.negotiation, partners) if head.negotiation else None
    reader = StepReader(document, Cast(speakers, head.domains, users), head.level, known, foreseen)
    given = reader.read_all("given", head.given)
    steps = reader.read_all("steps", head.steps)

    if all(VERBS[step.verb].expects == "nothing" for step in steps):
        raise document.error(("steps",), "this scenario judges nothing", "add what must be received, or must not be")

    return Scenario(
        id=identifier,
        claim=head.claim,
        covers=tuple(head.covers),
        story=head.story,
        file=document.name,
        line=document.positions.get(("claim",), (1, 1))[0],
        row=dict(row),
        level=head.level,
        deadline=head.deadline,
        mutants=_mutants(document, head, foreseen),
        needs=frozenset(head.needs).union(
            *(VERBS[step.verb].needs for step in given + steps),
            [foreseen.settings.capability] if foreseen else [],
            [POLICIES] if _sets_policies(head, users) else [],
        ),
        domains=tuple(head.domains),
        settings=head.settings,
        access=head.access,
        policies=tuple(head.policies),
        partners=partners,
        users=users,
        given=given,
        steps=steps,
    )


def _sets_policies(head: _Head, users: Mapping[str, Mapping[str, Any]]) -> bool:
    return bool(head.access or head.policies or any(one.keys() & {"site", "policy"} for one in users.values()))


def _mutants(document: Document, head: _Head, foreseen: Foreseen | None) -> tuple[str, ...]:
    """The defects that the file names; where it names them by outcome, those of the one that is foreseen."""
    if isinstance(head.mutants, list):
        return tuple(head.mutants)

    for outcome in head.mutants:
        if outcome not in OUTCOMES:
            raise unknown(document, ("mutants", outcome), "no negotiation comes to", outcome, OUTCOMES)

    if foreseen is None:
        raise document.error(("mutants",), "mutants by outcome need `negotiation`", "else `mutants` is a list")

    return tuple(head.mutants.get(foreseen.outcome, ()))


def _partner(document: Document, domain: str, options: Mapping[str, Any]) -> Partner:
    path: Path_ = ("partners", domain)

    for key in options:
        if key not in PARTNER_KEYS:
            raise unknown(document, (*path, key), "a partner has no key", key, list(PARTNER_KEYS))

    quirks = options.get("quirks", [])

    if not isinstance(quirks, list) or not all(isinstance(quirk, str) for quirk in quirks):
        raise document.error((*path, "quirks"), "`quirks` is a list of names")

    domains = options.get("domains", [])

    if not isinstance(domains, list) or not all(isinstance(name, str) for name in domains):
        raise document.error((*path, "domains"), "`domains` is a list of further domains")

    if not isinstance(options.get("profile", ""), str):
        raise document.error((*path, "profile"), "a profile is the name of a file of scenarios/profiles/")

    _check_abilities(document, path, options)

    return msgspec.convert(
        {
            "domain": domain,
            **{key: value for key, value in options.items() if key in ("profile", "quirks")},
            "options": {key: value for key, value in options.items() if key not in ("profile", "quirks")},
        },
        Partner,
    )


def _check_abilities(document: Document, path: Path_, options: Mapping[str, Any]) -> None:
    tls = options.get("tls", "none")

    if tls not in TLS_ABILITIES:
        raise unknown(document, (*path, "tls"), "`tls` knows no", str(tls), TLS_ABILITIES)

    if not isinstance(options.get("certificate", ""), str):
        raise document.error((*path, "certificate"), "a certificate is the name of a kind", "s2sim certificates")

    for key in ("external", "dialback"):
        if not isinstance(options.get(key, True), bool):
            raise document.error((*path, key), f"`{key}` is true or false")

    # RFC 6120 §6.3.4: SASL EXTERNAL rests on what TLS has shown.
    if tls == "none" and options.get("external"):
        raise document.error((*path, "external"), "SASL EXTERNAL needs TLS", "give the partner `tls: optional`")


def _check_settings(document: Document, head: _Head, partners: Collection[str]) -> None:
    for domain in head.settings or {}:
        if domain not in SETTINGS_KEYS and "." not in domain:
            raise unknown(
                document, ("settings", domain), "settings are for", domain, [*partners, *sorted(SETTINGS_KEYS)]
            )


def _check_policies(document: Document, head: _Head) -> None:
    for number, policy in enumerate(head.policies):
        if not isinstance(policy.get("identity"), str):
            hint = "Global, Site:NAME, or Tag:NAME for users with `policy: NAME`"
            raise document.error(("policies", number), "a policy has an `identity`", hint)


def _users(
    document: Document, head: _Head, partners: Collection[str], speakers: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The usual cast at each domain, and whoever is declared, at a further domain of a partner as well."""
    declared = head.users if isinstance(head.users, dict) else dict.fromkeys(head.users)
    usual = [f"{name}@{domain}" for domain in head.domains for name in DEFAULT_SYSTEM_USERS]
    usual += [f"{name}@{domain}" for domain in partners for name in DEFAULT_PARTNER_USERS]

    for number, address in enumerate(declared):
        path: Path_ = ("users", address) if isinstance(head.users, dict) else ("users", number)
        name, at, domain = address.partition("@")

        if not at or not name or domain not in {*head.domains, *speakers}:
            homes = ", ".join([*head.domains, *speakers])
            raise document.error(path, f"{address} lives nowhere in this scenario", f"domains: {homes}")

        _check_user(document, path, declared.get(address) or {})

    return {address: dict(declared.get(address) or {}) for address in dict.fromkeys([*usual, *declared])}


def _check_user(document: Document, path: Path_, options: Mapping[str, Any]) -> None:
    for key in options:
        if key not in USER_KEYS:
            raise unknown(document, (*path, key), "a user has no key", key, list(USER_KEYS))

    for key in ("session", "first-message", "presence", "silent"):
        if not isinstance(options.get(key, False), bool):
            raise document.error((*path, key), f"`{key}` is true or false")

    if options.get("dialect", DIALECTS[0]) not in DIALECTS:
        raise unknown(document, (*path, "dialect"), "no dialect of SIP is called", options["dialect"], DIALECTS)

    devices = options.get("devices", [])

    if not isinstance(devices, list) or not all(isinstance(name, str) and name for name in devices):
        raise document.error((*path, "devices"), "`devices` is a list of names")


def _root(path: Path) -> Path:
    start = path if path.is_dir() else path.parent

    for folder in (start, *start.resolve().parents):
        if (folder / REQUIREMENTS).is_file():
            return folder

    return start


def _holds_scenario(root: Path, file: Path) -> bool:
    return file.name != REQUIREMENTS and PROFILES not in file.parts[len(root.parts) : -1]


def _identifier(root: Path, file: Path) -> str:
    return file.resolve().relative_to(root.resolve()).with_suffix("").as_posix()
