"""The steps about TLS, certificates and SASL, played on a stage whose system is another partner."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.document import parse_document
from simulator.scenario.loader import read_scenarios
from simulator.world.ca import CertificateAuthority
from simulator.world.stage import NotPlayable
from tests.world.acts.playing import play_all, set_up

TLS, SASL = "urn:ietf:params:xml:ns:xmpp-tls", "urn:ietf:params:xml:ns:xmpp-sasl"
EXTERNAL = f"<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>"
HEADER = (
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='gmail.com' to='contoso.com' id='x' version='1.0'>"
)


@pytest.fixture(scope="module")
def authority() -> Iterator[CertificateAuthority]:
    with CertificateAuthority() as made:
        yield made


async def play(
    town: Any, authority: CertificateAuthority, steps: str, head: str = "", tls: str = "optional", **system: Any
) -> dict[str, str]:
    """Play steps against a system that does TLS; returns, by sentence, why steps were not fulfilled."""
    text = f"claim: A test\ndeadline: 1\n{head}\nsteps:\n"
    text += "\n".join(f"  - {line.strip()}" for line in steps.strip().splitlines() if line.strip())
    scenario = read_scenarios(parse_document(text), "test")[0]
    quirks = system.pop("quirks", ())
    contoso = await town.partner("contoso.com", *quirks, abilities={"tls": tls, **system}, authority=authority)
    contoso.add_user("alice@contoso.com", town.mail.put_nowait)
    world: Any = SimpleNamespace(name_server=town.names)
    stage = await set_up(town, scenario, world, authority)

    return await play_all(stage, contoso)


async def test_tls_and_external_step_by_step(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        f"""
        gmail.com connects
        gmail.com receives features: ["<starttls xmlns='{TLS}'/>"]
        gmail.com starts TLS: {{versions: TLSv1.2}}
        gmail.com sees TLS: {{version: [TLSv1.2], sni: contoso.com, alpn: null, names: [contoso.com]}}
        gmail.com receives features: ["<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>"]
        gmail.com authenticates with EXTERNAL: {{authzid: gmail.com}}
        gmail.com sends: <message from='juliet@gmail.com' to='alice@contoso.com' id='over-tls'/>
        gmail.com stays connected
        gmail.com closes the stream
        gmail.com is disconnected: {{condition: null, close-notify: true}}
        """,
    )

    assert wrong == {}
    assert (await town.mail.get()).get("id") == "over-tls"
    assert [entry.data["method"] for entry in town.entries("authenticated", "contoso.com")] == [
        "SASL EXTERNAL over TLS"
    ]


async def test_what_the_options_are_able_to_comes_by_itself(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        """
        gmail.com connects as one
        gmail.com on one sees TLS: {certificate: true}
        gmail.com on one is authenticated: {method: SASL EXTERNAL over TLS}
        gmail.com on one stays connected
        gmail.com connects as two: {tls: false}
        gmail.com on two is authenticated: {method: SASL EXTERNAL over TLS}
        """,
        "partners:\n  gmail.com: {tls: required}",
    )

    assert wrong == {}


async def test_a_wrong_method_is_told(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        "gmail.com is authenticated: {method: SASL EXTERNAL over TLS}",
        "partners:\n  gmail.com: {tls: optional, external: false}",
    )

    assert "dialback over TLS" in "".join(wrong.values())


@pytest.mark.parametrize(
    ("step", "quirk"),
    [
        ("gmail.com starts TLS: {refused: true}", "refuses-starttls"),
        ("gmail.com starts TLS: {refused: {condition: null}}", "closes-after-proceed"),
        ("gmail.com starts TLS: {refused: {condition: null}}", "alerts-on-client-hello"),
        ("gmail.com starts TLS: {refused: {condition: null, closing-tag: false}}", "garbage-on-client-hello"),
        ("gmail.com starts TLS: {refused: true}", "resets-on-client-hello"),
        ("gmail.com starts TLS: {versions: TLSv1.2, refused: true}", "tls-version: TLSv1.3"),
        ("gmail.com starts TLS: {ciphers: AES128-SHA, versions: TLSv1.2, refused: true}", ""),
        ("gmail.com starts TLS: {versions: [TLSv1, TLSv1.1], refused: {condition: null}}", ""),
    ],
)
async def test_a_refusal_is_demanded_and_seen(
    town: Any, authority: CertificateAuthority, step: str, quirk: str
) -> None:
    quirks = [quirk] if quirk else []

    assert await play(town, authority, f"gmail.com connects\n{step}", quirks=quirks) == {}


async def test_old_versions_are_spoken_where_both_want_them(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        """
        gmail.com connects
        gmail.com starts TLS: {versions: [TLSv1, TLSv1.1]}
        gmail.com sees TLS: {version: TLSv1.1, resumed: false}
        """,
        quirks=["old-tls"],
    )

    assert wrong == {}


async def test_what_is_injected_leaves_in_one_piece(town: Any, authority: CertificateAuthority) -> None:
    await play(town, authority, "gmail.com connects\ngmail.com starts TLS: {inject: <presence/>, restart: false}")
    received = [entry.data.get("text", "") for entry in town.entries("received", "contoso.com")]

    assert f"<starttls xmlns='{TLS}'/><presence/>" in received


@pytest.mark.parametrize("argument", ["", ": {refused: true}"])
async def test_the_opposite_of_what_was_demanded_is_told(
    town: Any, authority: CertificateAuthority, argument: str
) -> None:
    quirks = [] if argument else ["alerts-on-client-hello"]
    wrong = await play(town, authority, f"gmail.com connects\ngmail.com starts TLS{argument}", quirks=quirks)

    assert len(wrong) == 1


@pytest.mark.parametrize(
    ("steps", "quirks"),
    [
        ("gmail.com authenticates with EXTERNAL: {authzid: null}", []),
        ("gmail.com authenticates with EXTERNAL: {authzid: elsewhere.example, refused: invalid-authzid}", []),
        ("gmail.com authenticates with EXTERNAL: {text: '=AAA', refused: incorrect-encoding}", []),
        ("gmail.com authenticates with EXTERNAL: {mechanism: PLAIN, refused: [invalid-mechanism]}", []),
        ("gmail.com authenticates with EXTERNAL: {refused: true}", ["fails-auth: not-authorized"]),
        ("gmail.com authenticates with EXTERNAL", ["challenges"]),
        ("gmail.com authenticates with EXTERNAL: {restart: false}\ngmail.com restarts the stream", []),
        (f"gmail.com sends: <auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>\n"
         f"gmail.com receives: <success xmlns='{SASL}'/>\ngmail.com restarts the stream: {{from: gmail.com}}\n"
         "gmail.com receives features: [\"<dialback xmlns='urn:xmpp:features:dialback'>...</dialback>\"]", []),
    ],
)  # fmt: skip
async def test_external_in_all_its_forms(
    town: Any, authority: CertificateAuthority, steps: str, quirks: list[str]
) -> None:
    assert await play(town, authority, f"gmail.com connects\ngmail.com starts TLS\n{steps}", quirks=quirks) == {}


async def test_a_certificate_that_is_not_good_gets_no_external(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        """
        gmail.com connects
        gmail.com starts TLS: {certificate: expired}
        gmail.com receives features: ["<dialback xmlns='urn:xmpp:features:dialback'>...</dialback>"]
        gmail.com authenticates with EXTERNAL: {refused: true}
        gmail.com is authenticated: {method: dialback over TLS}
        """,
    )

    assert wrong == {}


async def test_a_stream_of_the_system_is_secured_by_steps(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        f"""
        alice@contoso.com sends a message: {{to: juliet@gmail.com, body: Hi}}
        gmail.com accepts a stream as out: {{features: "<stream:features><starttls xmlns='{TLS}'/></stream:features>"}}
        gmail.com on out accepts TLS: {{header: false}}
        gmail.com on out sees TLS: {{sni: gmail.com, names: contoso.com}}
        gmail.com on out receives a header: {{from: contoso.com, to: gmail.com}}
        gmail.com on out sends bytes: "{HEADER}"
        gmail.com on out sends: <stream:features>{EXTERNAL}</stream:features>
        gmail.com on out receives: <auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>
        gmail.com on out sends: <success xmlns='{SASL}'/>
        gmail.com on out accepts a restart: {{features: <stream:features/>}}
        gmail.com on out receives: <message from='alice@contoso.com' to='juliet@gmail.com'/>
        """,
    )

    assert wrong == {}


async def test_the_system_refuses_our_handshake(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        f"""
        alice@contoso.com sends a message: {{to: juliet@gmail.com, body: Hi}}
        gmail.com accepts a stream as out: {{features: "<stream:features><starttls xmlns='{TLS}'/></stream:features>"}}
        gmail.com on out accepts TLS: {{versions: [TLSv1, TLSv1.1], refused: {{condition: null}}}}
        """,
    )

    assert wrong == {}


async def test_direct_tls_is_dialled_and_accepted(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        """
        gmail.com opens a TLS connection as one: {alpn: xmpp-server}
        gmail.com on one sees TLS: {alpn: xmpp-server}
        gmail.com on one authenticates with EXTERNAL
        gmail.com opens a TLS connection as two: {alpn: h2, refused: true}
        gmail.com opens a TLS connection as three: {restart: false, sni: null}
        gmail.com on three sees TLS: {sni: null}
        alice@contoso.com sends a message: {to: juliet@gmail.com, body: Hi}
        gmail.com sees TLS: {alpn: xmpp-server, sni: gmail.com}
        """,
        "partners:\n  gmail.com: {tls: direct}",
        tls="direct",
    )

    assert wrong == {}


@pytest.mark.parametrize("how", ["garbage", "alert", "plaintext", "{hex: '0000000000'}", "renegotiation", "truncation"])
async def test_broken_tls_ends_the_connection(town: Any, authority: CertificateAuthority, how: str) -> None:
    wrong = await play(
        town,
        authority,
        f"""
        gmail.com connects
        gmail.com starts TLS: {{versions: TLSv1.2, renegotiates: true}}
        gmail.com breaks TLS: {how}
        gmail.com is disconnected: {{condition: null}}
        """,
    )

    assert wrong == {}


async def test_what_stands_in_place_of_a_handshake_is_not_read(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        f"""
        gmail.com connects
        gmail.com sends: <starttls xmlns='{TLS}'/>
        gmail.com receives: <proceed xmlns='{TLS}'/>
        gmail.com breaks TLS: {{text: "<presence/>"}}
        gmail.com is disconnected: {{condition: null, closing-tag: false}}
        """,
    )

    assert wrong == {}


@pytest.mark.parametrize(
    ("quirk", "version", "resumed"),
    [
        ("keeps-sessions", "TLSv1.2", True),
        ("keeps-sessions", "TLSv1.3", True),
        ("asks-for-no-certificate", "TLSv1.3", False),
    ],
)
async def test_a_session_goes_on_where_the_system_lets_it(
    town: Any, authority: CertificateAuthority, quirk: str, version: str, resumed: bool
) -> None:
    wrong = await play(
        town,
        authority,
        f"""
        gmail.com connects as one
        gmail.com on one starts TLS: {{versions: {version}, sessions: true}}
        gmail.com connects as two
        gmail.com on two starts TLS: {{versions: {version}, sessions: true, resume: one, restart: false}}
        gmail.com on two sees TLS: {{resumed: {str(resumed).lower()}}}
        """,
        quirks=[quirk],
    )

    assert wrong == {}


async def test_a_session_that_never_was_is_not_resumed(town: Any, authority: CertificateAuthority) -> None:
    with pytest.raises(NotPlayable, match="no TLS session"):
        await play(town, authority, "gmail.com connects\ngmail.com starts TLS: {resume: other}")


async def test_the_quiet_is_proven_without_dialback(town: Any, authority: CertificateAuthority) -> None:
    wrong = await play(
        town,
        authority,
        """
        gmail.com is authenticated
        gmail.com stays connected
        gmail.com has received nothing
        """,
        "partners:\n  gmail.com: {tls: required, dialback: false}",
        dialback=False,
    )

    assert wrong == {}
    assert [entry.data for entry in town.entries("barrier", "gmail.com")][:1] == [
        {"by": "error for a message to nobody"}
    ]


ASKS_FOR_TLS = f"""
    gmail.com connects: {{tls: false}}
    gmail.com sends: <starttls xmlns='{TLS}'/>
    gmail.com receives: <proceed xmlns='{TLS}'/>
"""


@pytest.mark.parametrize(
    ("said", "answer", "other"),
    [
        ("sends a ClientHello", "hello", "refused"),
        ("sends a ClientHello: {grease: true}", "{version: TLSv1.3}", "{version: TLSv1.2}"),
        ("sends a ClientHello: {offers: null, compression: [1, 0]}", "{compression: 0}", "{compression: 1}"),
        ("sends a ClientHello: {version: SSLv3}", "{alert: protocol_version}", "hello"),
        ("breaks TLS: garbage", "refused", "hello"),
        ('breaks TLS: {hex: "15 03 03 00 02 01 5a", repeat: 1000}', "refused", "hello"),
    ],
)
@pytest.mark.parametrize("right", [True, False])
async def test_a_hello_by_hand(
    town: Any, authority: CertificateAuthority, said: str, answer: str, other: str, right: bool
) -> None:
    steps = f"{ASKS_FOR_TLS}\ngmail.com {said}\ngmail.com receives a TLS answer: {answer if right else other}"
    wrong = await play(town, authority, steps, "partners: {gmail.com: {tls: optional}}")

    assert len(wrong) == (0 if right else 1)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("gmail.com connects\ngmail.com receives a TLS answer: hello", "nothing was sent in place"),
        (f"{ASKS_FOR_TLS}\ngmail.com sends a ClientHello: {{version: TLSv9}}", "this is no ClientHello"),
    ],
)
async def test_a_hello_that_cannot_be_played(town: Any, authority: CertificateAuthority, steps: str, why: str) -> None:
    with pytest.raises(NotPlayable, match=why):
        await play(town, authority, steps, "partners: {gmail.com: {tls: optional}}")
