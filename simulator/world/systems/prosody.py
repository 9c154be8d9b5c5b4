"""Prosody in the seat: a child process with a folder, a name server and users of our making.

Knows Prosody's configuration file and its storage of accounts. Does not know scenarios.

What a mode is in its words: TLS is `s2s_allow_encryption`, and `s2s_require_encryption` where it must be. Dialback is a
module. The module saslauth offers EXTERNAL to a peer whose certificate is good for its domain, and takes it up where a
peer offers it, whatever that peer has shown. `s2s_secure_auth` refuses every peer that has shown no good certificate.
So that stays off, as shipped, where dialback proves a domain, too. Where nothing but certificates counts it is on, and
then TLS cannot be optional: Prosody itself remarks that, and requires it. Where certificates do not count there is no
saslauth, and users sign in as they did before there was SASL.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from simulator.journal import Journal
from simulator.scenario.negotiation_table import Choice
from simulator.world.ca import CertificateAuthority
from simulator.world.systems.child import Child, answers, free_port
from simulator.world.systems.mode import (
    ANY_DIALBACK,
    ANYTHING,
    CERTIFICATES_ONLY,
    ENCRYPTED,
    ENCRYPTED_DIALBACK,
    PLAIN,
    Mode,
    mode_of,
    rows,
)
from simulator.world.systems.system import (
    NotInstalled,
    Seat,
    SettingsRefused,
    Surroundings,
    SystemFailed,
    SystemSettings,
)
from simulator.world.systems.tenant import Tenant
from simulator.world.users.user import User

INSTALL = "apt-get install --no-install-recommends prosody lua-unbound"
#: seconds until its ports must answer
START = 10.0
#: What an unanswered dialback check costs: Prosody reports its failure only by this timeout, which is 90 s as shipped.
ESTABLISHMENT = 2.0
PASSWORD = "pass"

MODES = (CERTIFICATES_ONLY, ENCRYPTED, ENCRYPTED_DIALBACK, ANYTHING, ANY_DIALBACK, PLAIN)
CAPABILITIES = frozenset(
    {
        "several-domains",
        "graceful-shutdown",
        "passphrase",
        "establishment-timeout",
        "retry-at-once",
        "tls",
        "external",
    }
) | rows(*MODES)

CONFIGURATION = """\
daemonize = false
run_as_root = true
pidfile = {folder} .. "/prosody.pid"
data_path = {folder} .. "/data"
certificates = {folder} .. "/certificates"
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = {folder} .. "/prosody.log" }} }}

interfaces = {{ {host} }}
local_interfaces = {{ {host} }}
c2s_ports = {{ {c2s_port} }}
s2s_ports = {{ {s2s_port} }}
c2s_direct_tls_ports = {{ }}
s2s_direct_tls_ports = {{ }}
use_ipv6 = false
network_backend = "epoll"

-- Our name server and no other, on its own port; nothing that one scenario met is remembered for the next.
unbound = {{
  resolvconf = false; hoststxt = false; forward = {name_server};
  options = {{
    ["module-config:"] = "iterator";
    ["cache-max-ttl:"] = "0"; ["cache-max-negative-ttl:"] = "0";
    -- By what it has measured it would wait 50 ms for an answer, which comes later on a busy machine (both in ms).
    ["infra-host-ttl:"] = "0"; ["infra-cache-min-rtt:"] = "400"; ["unknown-server-time-limit:"] = "400";
    ["outbound-msg-retry:"] = "2";
  }};
}}

modules_enabled = {{ "roster", "tls", "disco", "ping", "presence", "message", "iq" {modules} }}
modules_disabled = {{ "s2s_limits" }}
limits = {{ }}
authentication = "internal_plain"
storage = "internal"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false

"""

HOST = """
VirtualHost {domain}
"""
# The folder that is not there: Prosody would add the authorities of the machine.
CERTIFICATE = """\
  ssl = {{ certificate = {certificate}; key = {key}; cafile = {authority}; capath = {folder} .. "/none" }}
"""


_GREETING = "<stream:stream xmlns='jabber:{}' xmlns:stream='http://etherx.jabber.org/streams' to='{}' version='1.0'>"


def sharing_key(settings: SystemSettings) -> str:
    """What of the settings Prosody is started with; users come and go while it runs."""
    return json.dumps([sorted(settings.domains), str(mode_of(settings)), sorted(_options(settings).items())])


class Prosody:
    """Prosody, started once. It has no list of partners: `settings.partners` matter by their mode only."""

    name = "prosody"
    capabilities = CAPABILITIES
    shared = True

    def __init__(self, settings: SystemSettings) -> None:
        self._settings = settings
        self._mode = mode_of(settings)
        self.tenant = Tenant("prosody", "Prosody", log="prosody.log")
        self.version = ""

    @property
    def died(self) -> asyncio.Event:
        """Set when it ended unasked."""
        return self.tenant.died

    @property
    def cause_of_death(self) -> str:
        """What its end and its log said."""
        return self.tenant.cause_of_death

    @property
    def domains(self) -> tuple[str, ...]:
        """Its virtual hosts."""
        return self._settings.domains

    @property
    def listening(self) -> dict[str, tuple[str, int]]:
        """Its sockets: for partners, and for clients."""
        return {"xmpp-server": (self._host, self._s2s_port), "xmpp-client": (self._host, self._c2s_port)}

    def address_of(self, domain: str) -> tuple[str, int]:
        """Where partners reach it: one port for all domains."""
        return self._host, self._s2s_port

    async def start(self, surroundings: Surroundings) -> None:
        """Write its folder, start it, and return when its ports answer.

        Raises NotInstalled, SettingsRefused or SystemFailed.
        """
        installation = await asyncio.to_thread(installed)

        if self._mode not in MODES:
            raise SettingsRefused(f"Prosody cannot be set up for {self._mode}")

        self.version = installation.version
        addresses = surroundings.addresses
        child = self.tenant.move_in(addresses)
        self._host = self.tenant.host
        self._c2s_port = addresses.port(5222) or free_port(self._host)
        self._s2s_port = addresses.port(5269) or free_port(self._host)

        try:
            file = self._write(child.folder, surroundings)
            await child.start(installation.program, "-F", "--config", str(file))
            await self._await_ports(child)
        except BaseException:
            await self.stop()
            raise

        self.tenant.watch()

    async def stop(self) -> None:
        """End it and remove its folder; may be called at any time and again."""
        await self.tenant.stop()

    async def shut_down(self) -> None:
        """Send SIGTERM and return when it has ended."""
        await self.tenant.shut_down()

    async def user(self, address: str, journal: Journal) -> User:
        """Write an account and return its client, not yet signed in."""
        # Here and not above: slixmpp takes a fifth of a second to load, which only those with users need.
        from simulator.world.users.xmpp import XMPPUser

        local, _, domain = address.partition("@")
        accounts = self.tenant.child.folder / "data" / _encoded(domain) / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        (accounts / f"{_encoded(local)}.dat").write_text(f'return {{ ["password"] = "{PASSWORD}"; }};\n')

        return XMPPUser(address, PASSWORD, self._host, self._c2s_port, journal, sasl=_has_sasl(self._mode))

    def log_lines(self, last: int = 40) -> list[str]:
        """The last lines of its log; of its console when it did not come to write one."""
        return self.tenant.log_lines(last)

    def _write(self, folder: Path, surroundings: Surroundings) -> Path:
        for name in ("data", "certificates"):
            (folder / name).mkdir()

        host, port = surroundings.name_server
        text = CONFIGURATION.format(
            folder=_lua(str(folder)),
            host=_lua(self._host),
            c2s_port=self._c2s_port,
            s2s_port=self._s2s_port,
            name_server=_lua(f"{host}@{port}"),
            modules="".join(f", {_lua(name)}" for name in _modules(self._mode)),
        )
        options = {**_trust(self._mode), **_options(self._settings)}
        text += "".join(f"{name} = {value}\n" for name, value in options.items())
        text += "".join(self._virtual_host(domain, folder, surroundings.authority) for domain in self.domains)
        file = folder / "prosody.cfg.lua"
        file.write_text(text, encoding="utf-8")

        return file

    def _virtual_host(self, domain: str, folder: Path, authority: CertificateAuthority) -> str:
        text = HOST.format(domain=_lua(domain))

        if self._mode.encrypts:
            issued = authority.issue(domain)
            files = {"certificate": issued.certificate, "key": issued.key, "authority": authority.authority}
            text += CERTIFICATE.format(
                folder=_lua(str(folder)), **{name: _lua(str(file)) for name, file in files.items()}
            )

        return text

    async def _await_ports(self, child: Child) -> None:
        # Its ports accept connections before it runs, and a SIGTERM until then is lost: so wait for a word from it.
        # And Prosody only logs that a port is taken: then somebody else listens there, who does not answer like this.
        for port, namespace in ((self._c2s_port, "client"), (self._s2s_port, "server")):
            greeting = _GREETING.format(namespace, self.domains[0]).encode()

            if not await answers(self._host, port, greeting, within=START, child=child):
                why = "ended at once" if child.ended.is_set() else f"does not answer on {self._host} port {port}"
                raise SystemFailed("\n".join([f"Prosody {why}", *self.log_lines(10)]))


@dataclass(frozen=True)
class Installation:
    """The program and its version."""

    program: str
    version: str


@cache
def installed() -> Installation:
    """What is installed here (asked once); raises NotInstalled."""
    program, control = shutil.which("prosody"), shutil.which("prosodyctl")

    if program is None or control is None:
        raise NotInstalled(f"Prosody is not installed; on Debian: {INSTALL}")

    # With a file of our own: the machine's may not be readable to us.
    with tempfile.TemporaryDirectory(prefix="s2sim-prosody-") as folder:
        file = Path(folder) / "about.cfg.lua"
        file.write_text('run_as_root = true\nVirtualHost "localhost"\n')
        command = [control, "--config", str(file), "about"]
        about = subprocess.run(command, capture_output=True, text=True, timeout=START, check=False).stdout

    # Without it Prosody would quietly ask the machine's own name servers, outside of our world.
    if not re.search(r"^luaunbound:\s+\d", about, re.MULTILINE):
        raise NotInstalled(f"Prosody is installed without lua-unbound, which lets it ask our name server; {INSTALL}")

    found = re.search(r"^Prosody (\S+)", about, re.MULTILINE)

    return Installation(program, found[1] if found else "unknown")


def _has_sasl(mode: Mode) -> bool:
    """Without TLS nobody is offered EXTERNAL, so that SASL is the users' alone."""
    return mode.external or not mode.encrypts


def _modules(mode: Mode) -> tuple[str, ...]:
    return ("saslauth" if _has_sasl(mode) else "legacyauth", *(["dialback"] if mode.dialback else []))


def _trust(mode: Mode) -> dict[str, str]:
    return {
        "s2s_allow_encryption": str(mode.encrypts).lower(),
        "s2s_require_encryption": str(mode.tls is Choice.REQUIRED).lower(),
        "s2s_secure_auth": str(mode == CERTIFICATES_ONLY).lower(),
    }


def _options(settings: SystemSettings) -> Mapping[str, str]:
    """Those of the gateway's settings that Prosody has, under its own names, as Lua."""
    gateway, limits = settings.gateway, settings.configuration.get("limits", {})
    seconds = str(float(gateway.get("stream-establishment-timeout", ESTABLISHMENT)))
    # The second is for a handshake of TLS that does not go on, which the first does not see.
    options = {"s2s_timeout": seconds, "network_settings": f"{{ ssl_handshake_timeout = {seconds} }}"}

    if "dialback-passphrase" in gateway:
        options["dialback_secret"] = _lua(str(gateway["dialback-passphrase"]))

    if "stanza-bytes" in limits:
        options["s2s_stanza_size_limit"] = str(int(limits["stanza-bytes"]))

    return options


def _lua(text: str) -> str:
    """The text as a Lua string: decimal escapes for whatever is not plain."""
    return '"' + re.sub(rb"[^ !#-\[\]-~]", lambda match: b"\\%03d" % match[0][0], text.encode()).decode() + '"'


def _encoded(name: str) -> str:
    """A file name in Prosody's storage: whatever is no ASCII letter or digit as %xx, in lower case."""
    return re.sub(rb"[^A-Za-z0-9]", lambda match: b"%%%02x" % match[0][0], name.encode()).decode()


SEAT = Seat(
    name="prosody",
    says="Prosody as a child process",
    capabilities=CAPABILITIES,
    shared=True,
    make=Prosody,
    sharing_key=sharing_key,
)
