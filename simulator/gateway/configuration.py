"""Everything an administrator can set on the gateway, in one YAML file; errors name file, line and column.

Knows which settings belong together and which contradict each other. Does not know how they are carried out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import msgspec

from simulator.document import Document, DocumentError, read_document
from simulator.gateway import certificate_files, topology
from simulator.gateway.access.authorization import AuthorizationSettings
from simulator.gateway.access.edge import AccessEdgeConfiguration
from simulator.gateway.access.faults import (
    authorization_faults,
    closed_gates,
    domain_faults,
    grant_faults,
    policy_faults,
    site_faults,
)
from simulator.gateway.access.policy import ExternalAccessPolicy
from simulator.gateway.access.site import EdgePool, Site
from simulator.gateway.management.settings import ManagementSettings, management_faults
from simulator.gateway.negotiation import Negotiation, NotValid
from simulator.gateway.partner import AllowedPartner, PartnerType
from simulator.gateway.settings import (
    CertificateFiles,
    CertificateSettings,
    DNSSettings,
    EdgeSettings,
    FrontendSettings,
    GatewaySettings,
    LimitSettings,
    RetrySettings,
    User,
    normalized,
)
from simulator.gateway.spelling import Fault, misspelled
from simulator.xmpp.address import AddressError, normalize_domain, parse_address

__all__ = [
    "AccessEdgeConfiguration",
    "AllowedPartner",
    "AuthorizationSettings",
    "CertificateFiles",
    "CertificateSettings",
    "Configuration",
    "ConfigurationError",
    "DNSSettings",
    "EdgePool",
    "EdgeSettings",
    "ExternalAccessPolicy",
    "FrontendSettings",
    "GatewaySettings",
    "LimitSettings",
    "ManagementSettings",
    "Negotiation",
    "PartnerType",
    "RetrySettings",
    "Site",
    "User",
    "checked",
    "faults",
    "read_configuration",
]


class ConfigurationError(Exception):
    """A configuration that was not read from a file contradicts itself; `fault` says where."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        place = ".".join(map(str, fault.path))
        super().__init__(f"{place}: {fault.message}" + (f"\n  {fault.hint}" if fault.hint else ""))


class Configuration(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True, dict=True):
    """The whole configuration. Own domains and those of partners are normalised when it is made.

    `former_domains` are no longer served; who asks for one is told so (RFC 6120 §4.9.3.5). `access` is the
    organisation's Access Edge configuration; without `sites` all users leave by the one edge that there is.
    `allowed_domains` and `blocked_domains` are about SIP partners only.

    `warnings` are collected by `checked` and `read_configuration`; a file cannot set them.
    """

    domains: tuple[str, ...]
    dns: DNSSettings
    certificates: CertificateSettings
    users: tuple[User, ...] = ()
    partners: tuple[AllowedPartner, ...] = ()
    gateway: GatewaySettings = GatewaySettings()
    edge: EdgeSettings = EdgeSettings()
    frontend: FrontendSettings = FrontendSettings()
    limits: LimitSettings = LimitSettings()
    retry: RetrySettings = RetrySettings()
    management: ManagementSettings = ManagementSettings()
    former_domains: tuple[str, ...] = ()
    access: AccessEdgeConfiguration = AccessEdgeConfiguration()
    authorization: AuthorizationSettings = AuthorizationSettings()
    policies: tuple[ExternalAccessPolicy, ...] = ()
    sites: tuple[Site, ...] = ()
    pools: tuple[EdgePool, ...] = ()
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "domains", tuple(map(normalized, self.domains)))
        msgspec.structs.force_setattr(self, "former_domains", tuple(map(normalized, self.former_domains)))

    def partner_for(self, domain: str) -> AllowedPartner | None:
        """The partner that speaks for exactly this domain, or None: subdomains are not implied."""
        return self._partners.get(normalized(domain))

    def serves(self, domain: str) -> bool:
        """Whether this is one of the gateway's own domains."""
        return normalized(domain) in self._domains

    def user(self, address: str) -> User | None:
        """The user inside with this bare address, or None."""
        try:
            return self._users.get(str(parse_address(address).bare))
        except AddressError:
            return None

    def adopt(self, other: Configuration) -> None:
        """Become what `other` is, for everybody who holds this configuration."""
        for field in self.__struct_fields__:
            msgspec.structs.force_setattr(self, field, getattr(other, field))

        # What was computed from the old values.
        self.__dict__.clear()

    @cached_property
    def _partners(self) -> dict[str, AllowedPartner]:
        return {domain: partner for partner in self.partners for domain in partner.domains}

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(self.domains)

    @cached_property
    def _users(self) -> dict[str, User]:
        return {str(parse_address(user.address)): user for user in self.users}


def read_configuration(path: Path) -> Configuration:
    """Read and check a YAML file; file names in it are relative to its folder. Raises DocumentError."""
    document = read_document(path)

    for fault in misspelled(document.data, Configuration, but_not=frozenset({"warnings"})):
        raise document.error(fault.path, fault.message, fault.hint)

    converted = _converted(document)
    certificates = certificate_files.absolute(converted.certificates, path.parent)
    frontend = converted.frontend

    if frontend.contacts is not None:
        frontend = msgspec.structs.replace(frontend, contacts=str(path.parent / frontend.contacts))

    management = converted.management

    if management.control is not None:
        management = msgspec.structs.replace(management, control=str(path.parent / management.control))

    configuration = msgspec.structs.replace(
        converted,
        certificates=certificates,
        frontend=frontend,
        management=management,
        pools=certificate_files.absolute_pools(converted.pools, path.parent),
    )

    for fault in (*faults(configuration), *certificate_files.missing_files(certificates, configuration.pools)):
        raise document.error(fault.path, fault.message, fault.hint)

    return msgspec.structs.replace(configuration, warnings=tuple(_positioned_warnings(configuration, document)))


def checked(
    configuration: Configuration, find: Callable[[Configuration], Iterable[Fault]] | None = None
) -> Configuration:
    """The same configuration with its warnings; raises ConfigurationError for the first fault that `find` finds."""
    for fault in (find or faults)(configuration):
        raise ConfigurationError(fault)

    return msgspec.structs.replace(configuration, warnings=tuple(text for _, text in _warnings(configuration)))


def faults(configuration: Configuration) -> Iterator[Fault]:
    """Everything that a type cannot tell: malformed names, duplicates, contradictions, missing certificates."""
    yield from _domain_faults(configuration)
    yield from _user_faults(configuration)
    yield from _partner_faults(configuration)
    yield from certificate_files.faults(
        configuration.certificates,
        configuration.domains,
        configuration.partners,
        configuration.edge,
        configuration.frontend,
    )
    yield from _dns_faults(configuration)
    yield from policy_faults(configuration.policies, configuration.sites)
    yield from site_faults(configuration.sites, configuration.pools)
    yield from topology.faults(configuration.pools, configuration.edge)
    yield from grant_faults(configuration.users, configuration.policies, configuration.sites)
    yield from domain_faults(configuration.allowed_domains, configuration.blocked_domains)
    yield from authorization_faults(configuration.authorization)
    yield from management_faults(configuration.management, configuration.users)


def _dns_faults(configuration: Configuration) -> Iterator[Fault]:
    server = configuration.dns.server

    try:
        ipaddress.ip_address(server)
    except ValueError:
        # Who would look up its name?
        yield Fault(("dns", "server"), f"{server!r} is not the address of a name server", "such as 127.0.0.1 or ::1")


def _domain_faults(configuration: Configuration) -> Iterator[Fault]:
    if not configuration.domains:
        yield Fault(("domains",), "the gateway needs at least one domain of its own")

    seen: set[str] = set()

    for key, domains in (("domains", configuration.domains), ("former-domains", configuration.former_domains)):
        for index, domain in enumerate(domains):
            yield from _name_faults(domain, (key, index))

            if domain in seen:
                yield Fault((key, index), f"the domain {domain} stands here twice", "remove one of the two")

            seen.add(domain)


def _user_faults(configuration: Configuration) -> Iterator[Fault]:
    seen: set[str] = set()
    own = ", ".join(configuration.domains)

    for index, user in enumerate(configuration.users):
        path = ("users", index, "address")

        try:
            address = parse_address(user.address)
        except AddressError as error:
            yield Fault(path, str(error), "write user@domain")
            continue

        if not address.local or address.resource:
            yield Fault(path, f"{user.address!r} is not the address of a user", "write user@domain")
        elif address.domain not in configuration.domains:
            yield Fault(path, f"the user {user.address} is in none of the gateway's own domains", f"these are: {own}")
        elif str(address) in seen:
            yield Fault(path, f"the user {address} stands here twice", "remove one of the two")

        seen.add(str(address))


def _partner_faults(configuration: Configuration) -> Iterator[Fault]:
    owners: dict[str, str] = {}

    for index, partner in enumerate(configuration.partners):
        for path, domain in _places(partner, ("partners", index)):
            yield from _name_faults(domain, path)

            if domain in configuration.domains:
                yield Fault(path, f"{domain} is one of the gateway's own domains and cannot be a partner's")
            elif domain in owners:
                message = f"{domain} already belongs to the partner {owners[domain]}"
                yield Fault(path, message, "a domain may stand once, as an identity or as an additional domain")
            else:
                owners[domain] = partner.identity

        if partner.proxy_fqdn is not None:
            yield from _name_faults(partner.proxy_fqdn, ("partners", index, "proxy-fqdn"))

        yield from _negotiation_faults(partner, ("partners", index))


def _places(partner: AllowedPartner, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield (*path, "identity"), partner.identity

    for index, domain in enumerate(partner.additional_domains):
        yield (*path, "additional-domains", index), domain


def _negotiation_faults(partner: AllowedPartner, path: tuple[str | int, ...]) -> Iterator[Fault]:
    try:
        assert partner.methods
    except NotValid as error:
        settings = f"{_settings(partner)} is not valid: {error}"
        yield Fault((*path, "identity"), f"partner {partner.identity}: {settings}", "enable dialback, or SASL with TLS")


def _settings(partner: AllowedPartner) -> str:
    return (
        f"tls-negotiation {partner.tls_negotiation.value}, sasl-negotiation {partner.sasl_negotiation.value}, "
        f"support-dialback-negotiation {str(partner.support_dialback_negotiation).lower()}"
    )


def _name_faults(domain: str, path: tuple[str | int, ...]) -> Iterator[Fault]:
    try:
        normalize_domain(domain)
    except AddressError as error:
        yield Fault(path, f"not a domain name: {error}")


def _warnings(configuration: Configuration) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, partner in enumerate(configuration.partners):
        if partner.warning is not None:
            yield ("partners", index, "identity"), f"partner {partner.identity}: {partner.warning}"

    # Whoever has no partner means to have none.
    if configuration.partners:
        yield from closed_gates(
            configuration.access,
            configuration.policies,
            configuration.sites,
            configuration.pools,
            configuration.users,
        )


def _positioned_warnings(configuration: Configuration, document: Document) -> Iterator[str]:
    of_files = certificate_files.warnings(configuration.certificates, configuration.domains)

    for path, text in (*_warnings(configuration), *of_files):
        error = document.error(path, f"warning: {text}")
        yield str(error)


def _converted(document: Document) -> Configuration:
    """Convert; an error names the setting as well as its place, for those who see the message without the file."""
    try:
        return document.convert(Configuration)
    except DocumentError as error:
        here = [path for path, place in document.positions.items() if place == (error.line, error.column)]
        # What is missing has no place: that of its mapping is that of the first key in it.
        missing = error.message.endswith("is missing")
        name = "" if missing else max((".".join(map(str, path)) for path in here), key=len, default="")
        message = f"{name}: {error.message}" if name else error.message
        raise DocumentError(error.name, error.line, error.column, message, error.hint) from None
