"""ejabberd in the seat: a child process with a folder, a name server and users of our making.

Knows ejabberd's configuration file and how its runtime is started. Does not know scenarios.

The runtime is started by itself, with no node name: ejabberdctl wants files of the machine, a user of its own and epmd.
Its name server is ours, port included, by ERL_INETRC. That alone would be half of it: the addresses of hosts are asked
of `net:getaddrinfo`, which is the C library's, and that knows no name server but the machine's, on port 53. A library
loaded before it, with a file of hosts, would answer, but our name server would see no question, and what a scenario
has it fail at would never happen. So `net` has a stand-in here that asks the runtime's own resolver the same.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import yaml

from simulator.journal import Journal
from simulator.world.systems.mode import (
    ANYTHING,
    CERTIFICATES_ONLY,
    CERTIFICATES_WITH_TLS,
    ENCRYPTED,
    PLAIN,
    mode_of,
    rows,
)
from simulator.world.systems.server import GREETING, PASSWORD, XMPPServer
from simulator.world.systems.system import NotInstalled, Seat, Surroundings, SystemFailed, SystemSettings
from simulator.world.users.habits import WRITES, Habits
from simulator.world.users.user import User

INSTALL = "apt-get install --no-install-recommends ejabberd"
#: seconds until its ports must answer: several are started at once, and each compiles and loads for long
START = 40.0
#: Seconds, for the questions to the name server, too; 30 as shipped, and it takes no timeout of less than one.
ESTABLISHMENT = 8
#: bytes of a stanza, as in the configuration that it is shipped with
STANZA = 524288

#: EXTERNAL cannot be switched off where there is TLS. Dialback can be, and then a certificate must be trusted.
MODES = (CERTIFICATES_ONLY, CERTIFICATES_WITH_TLS, ENCRYPTED, ANYTHING, PLAIN)
CAPABILITIES = frozenset(
    {
        "several-domains",
        "tls",
        "external",
        "presence",
        "contact-lists",
        "blocking",
        "directed-presence",
        "negative-priority",
        "offline-storage",
        "message-archive",
        "whole-stanzas",
    }
) | rows(*MODES)

# Both families, as from the C library. The errors are those of its manual page: EAI_NONAME, EAI_AGAIN.
NET = """\
-module(net).
-export([getaddrinfo/2]).

getaddrinfo(Host, Service) ->
    Port = list_to_integer(Service),
    case inet:parse_address(Host) of
        {ok, Address} -> {ok, [info(Address, Port)]};
        {error, _} -> found([inet_res:getbyname(Host, Type) || Type <- [a, aaaa]], Port)
    end.

found(Answers, Port) ->
    Addresses = lists:append([List || {ok, {hostent, _, _, _, _, List}} <- Answers]),
    Retriable = lists:any(fun({error, Why}) -> Why /= nxdomain; (_) -> false end, Answers),
    case [info(Address, Port) || Address <- Addresses] of
        [] when Retriable -> {error, eagain};
        [] -> {error, enoname};
        Infos -> {ok, Infos}
    end.

info(Address, Port) ->
    Family = case tuple_size(Address) of 4 -> inet; 8 -> inet6 end,
    Socket = #{family => Family, addr => Address, port => Port},
    #{family => Family, type => stream, protocol => tcp, addr => Socket}.
"""
STAND_IN = '{ok, net, Code} = compile:file("net", [binary]), {module, net} = code:load_binary(net, "net.erl", Code).'

# Without the first line the name server would be the machine's. Nothing that one scenario met is kept for the next.
RESOLVER = """\
{{resolv_conf,""}}.
{{hosts_file,""}}.
{{lookup,[file,dns]}}.
{{nameserver,{{{address}}},{port}}}.
{{cache_size,0}}.
{{timeout,500}}.
{{retry,3}}.
{{servfail_retry_timeout,0}}.
"""

_REGISTER = (
    "<iq type='set' id='register'><query xmlns='jabber:iq:register'>"
    "<username>{}</username><password>{}</password></query></iq></stream:stream>"
)
_DONE = re.compile(rb"<iq [^>]*type='result'|<conflict")


def sharing_key(settings: SystemSettings) -> str:
    """What of the settings ejabberd is started with; users come and go while it runs."""
    return json.dumps([sorted(settings.domains), str(mode_of(settings)), _limits(settings), _storing(settings)])


class Ejabberd(XMPPServer):
    """ejabberd, started once."""

    name = "ejabberd"
    capabilities = CAPABILITIES
    says, log, modes, patience = "ejabberd", "ejabberd.log", MODES, START

    async def _find(self) -> str:
        return installed().version

    def _prepare(self, folder: Path, surroundings: Surroundings) -> tuple[str, ...]:
        self._write(folder, surroundings)

        return _command(installed(), folder)

    async def user(self, address: str, journal: Journal, habits: Habits = WRITES) -> User:
        """Register an account, as a client would (XEP-0077), and return its client, not yet signed in."""
        # Here and not above: slixmpp takes a fifth of a second to load, which only those with users need.
        from simulator.world.users.xmpp import XMPPUser

        local, _, domain = address.partition("@")
        await self._register(local, domain)

        return XMPPUser(address, PASSWORD, self._host, self._c2s_port, journal, uses_presence=habits.uses_presence)

    def _write(self, folder: Path, surroundings: Surroundings) -> None:
        host, port = surroundings.name_server
        resolver = RESOLVER.format(address=host.replace(".", ","), port=port)
        words = yaml.safe_dump(self._words(folder, surroundings), sort_keys=False, allow_unicode=True)

        for name, text in {"inetrc": resolver, "net.erl": NET, "ejabberd.yml": words}.items():
            (folder / name).write_text(text, encoding="utf-8")

    def _words(self, folder: Path, surroundings: Surroundings) -> dict[str, Any]:
        mode = self._mode
        place = {"ip": self._host}

        return {
            "hosts": list(self.domains),
            "loglevel": "info",
            "s2s_use_starttls": str(mode.tls) if mode.encrypts else False,
            # A pause after a failure is drawn at random from what is allowed, and this is the least.
            "s2s_max_retry_delay": 1,
            "s2s_dns_timeout": 3,
            "s2s_dns_retries": 1,
            "outgoing_s2s_timeout": 2,
            "outgoing_s2s_families": ["ipv4", "ipv6"],
            "auth_method": "internal",
            "auth_password_format": "plain",
            # Users come while it runs; the pause between two registrations is meant against strangers.
            "registration_timeout": "infinity",
            **_limits(self._settings)["options"],
            **_storing(self._settings)["options"],
            **(self._trust(folder, surroundings) if mode.encrypts else {}),
            "listen": [
                {**place, "port": self._s2s_port, "module": "ejabberd_s2s_in", **_limits(self._settings)["listener"]},
                {**place, "port": self._c2s_port, "module": "ejabberd_c2s", "starttls": False},
            ],
            "modules": {
                "mod_disco": {},
                "mod_ping": {},
                "mod_roster": {},
                "mod_privacy": {},
                "mod_blocking": {},
                "mod_register": {"ip_access": "all", "access": "all", "access_from": "all"},
                **({"mod_s2s_dialback": {}} if mode.dialback else {}),
                **_storing(self._settings)["modules"],
            },
        }

    def _trust(self, folder: Path, surroundings: Surroundings) -> dict[str, Any]:
        """Certificates of its domains, one file each, and whom it trusts."""
        authority, files = surroundings.authority, []

        for number, domain in enumerate(self.domains):
            issued = authority.issue(domain)
            file = folder / f"certificate-{number}.pem"
            file.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
            files.append(str(file))

        trusted = str(authority.authority)

        return {"certfiles": files, "ca_file": trusted, "s2s_cafile": trusted}

    async def _register(self, local: str, domain: str) -> None:
        """Raises SystemFailed. Somebody who has registered before stays who he is."""
        said = b""

        try:
            async with asyncio.timeout(START):
                reader, writer = await asyncio.open_connection(self._host, self._c2s_port)

                try:
                    request = GREETING.format("client", domain) + _REGISTER.format(escape(local), PASSWORD)
                    writer.write(request.encode())
                    said = await reader.read(-1)
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            raise SystemFailed(f"ejabberd does not register {local}@{domain}: {error}") from error

        if not _DONE.search(said):
            raise SystemFailed(f"ejabberd does not register {local}@{domain}: {said.decode('utf-8', 'replace')}")


@dataclass(frozen=True)
class Installation:
    """The program that runs it, where its libraries are, and its version."""

    runtime: str
    libraries: str
    version: str


@cache
def installed() -> Installation:
    """What is installed here (asked once); raises NotInstalled."""
    runtime, control = shutil.which("erl"), shutil.which("ejabberdctl")

    if runtime is None or control is None:
        raise NotInstalled(f"ejabberd is not installed; on Debian: {INSTALL}")

    # It may be no link to the runtime's own libraries, and each package says in this script where it has put them.
    said = re.search(r"""^\s*(?:export )?ERL_LIBS=["']?([^"'\n]+)""", Path(control).read_text(), re.MULTILINE)
    libraries = said[1] if said else ""
    versions = [folder.name.partition("-")[2] for folder in Path(libraries).glob("ejabberd-*") if libraries]

    if not versions:
        raise NotInstalled(f"ejabberd is installed, but its libraries are not where {control} says; {INSTALL}")

    return Installation(runtime, libraries, versions[0])


def _command(installation: Installation, folder: Path) -> tuple[str, ...]:
    surroundings = {
        "HOME": folder,
        "ERL_LIBS": installation.libraries,
        "ERL_INETRC": folder / "inetrc",
        "ERL_CRASH_DUMP_SECONDS": 0,
        "EJABBERD_CONFIG_PATH": folder / "ejabberd.yml",
        "EJABBERD_LOG_PATH": folder / "ejabberd.log",
        "EJABBERD_PID_PATH": folder / "ejabberd.pid",
    }

    return (
        # It becomes the runtime, so that the number of the process stays.
        *("env", *(f"{name}={value}" for name, value in surroundings.items())),
        *(installation.runtime, "-noinput", "+K", "true", "-mnesia", "dir", f'"{folder}/database"'),
        # Its threads do not wait busily: others need the processor.
        *("+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"),
        *("-eval", STAND_IN, "-s", "ejabberd"),
    )


def _limits(settings: SystemSettings) -> dict[str, dict[str, Any]]:
    """Those of the gateway's settings that ejabberd has, under its own names: of all, and of its port for servers."""
    seconds = settings.gateway.get("stream-establishment-timeout", ESTABLISHMENT)
    size = settings.configuration.get("limits", {}).get("stanza-bytes", STANZA)

    return {
        "options": {"negotiation_timeout": max(1, math.ceil(seconds))},
        "listener": {"max_stanza_size": int(size)},
    }


def _storing(settings: SystemSettings) -> dict[str, dict[str, Any]]:
    """What keeps messages, which is left out where nobody asks for it: then what cannot be delivered comes back at
    once."""
    offline, archive = settings.configuration.get("offline"), settings.configuration.get("archive")
    most = {"shaper_rules": {"most_kept": int(offline["messages"])}} if offline else {}

    return {
        "options": most,
        "modules": {
            **({"mod_offline": {"access_max_user_messages": "most_kept"}} if offline else {}),
            **({"mod_mam": {"default": "always"}} if archive else {}),
        },
    }


SEAT = Seat(
    name="ejabberd",
    says="ejabberd as a child process",
    capabilities=CAPABILITIES,
    shared=True,
    make=Ejabberd,
    sharing_key=sharing_key,
)
