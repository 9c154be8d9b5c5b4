"""A ClientHello by hand: what no TLS library says any more, or does not say yet.

Knows the bytes of RFC 5246 §7.4.1.2, RFC 8446 §4.1.2 and, for SSL 2.0, of RFC 5246 §E.2. Does not know keys: nothing
follows such a hello.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

VERSIONS = {"SSLv2": 0x0002, "SSLv3": 0x0300, "TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}

#: Those that scenarios name, by the registry of IANA; any other may be given as four hexadecimal digits.
SUITES = {
    "TLS_RSA_WITH_NULL_SHA": 0x0002,
    "TLS_RSA_EXPORT_WITH_RC4_40_MD5": 0x0003,
    "TLS_RSA_WITH_RC4_128_SHA": 0x0005,
    "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA": 0x0008,
    "TLS_RSA_WITH_DES_CBC_SHA": 0x0009,
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA": 0x000A,
    "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA": 0x0014,
    "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA": 0x0016,
    "TLS_DH_anon_WITH_RC4_128_MD5": 0x0018,
    "TLS_RSA_WITH_AES_128_CBC_SHA": 0x002F,
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA": 0x0033,
    "TLS_DH_anon_WITH_AES_128_CBC_SHA": 0x0034,
    "TLS_RSA_WITH_AES_128_GCM_SHA256": 0x009C,
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256": 0x009E,
    "TLS_DH_anon_WITH_AES_128_GCM_SHA256": 0x00A6,
    "TLS_ECDHE_ECDSA_WITH_NULL_SHA": 0xC006,
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA": 0xC007,
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA": 0xC011,
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA": 0xC012,
    "TLS_ECDH_anon_WITH_AES_128_CBC_SHA": 0xC018,
    "TLS_AES_128_GCM_SHA256": 0x1301,
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 0xC02B,
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 0xC02F,
}

#: What a present-day client offers, with the signal of RFC 5746 §3.3 that it knows secure renegotiation.
USUAL_SUITES = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "00ff",
)

#: RFC 8701 §2: values that nobody defines, for suites, versions, groups and extensions alike.
GREASE = 0x2A2A, 0x7A7A

_SERVER_NAME, _GROUPS, _POINTS, _SIGNATURES, _ALPN, _PADDING = 0, 10, 11, 13, 16, 21
_EARLY_DATA, _SUPPORTED_VERSIONS, _KEY_SHARE = 42, 43, 51
_X25519, _P256 = 29, 23
_ALGORITHMS = (0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501)

#: 2**14: no record holds more (RFC 8446 §5.1).
_LARGEST = 16384

KEYS = ("version", "offers", "suites", "compression", "alpn", "sni", "grease", "early", "size")


def client_hello(given: Mapping[str, Any], random: bytes) -> bytes:
    """The records of a ClientHello: `version` is the one in the hello, `offers` those of the extension, which is left
    out with null; `early` adds early data. Raises ValueError for words that are none.

    `random` are 64 bytes: the random of the hello and its key share.
    """
    version = _version(given.get("version", "TLSv1.2"))

    if version == VERSIONS["SSLv2"]:
        return _hello_of_version_2(random)

    body = version.to_bytes(2) + random[:32] + b"\0"
    suites = [_suite(name) for name in given.get("suites", USUAL_SUITES)]
    greased = list(GREASE) if given.get("grease") else []
    body += _sized(2, _numbers(greased[:1] + suites))
    body += _sized(1, bytes(given.get("compression", [0])))

    if version > VERSIONS["SSLv3"]:
        extensions = _extensions(given, greased, random[32:])
        missing = int(given.get("size", 0)) - len(body) - len(extensions) - 6

        if missing > 0:
            extensions += _extension(_PADDING, bytes(missing - 4))

        body += _sized(2, extensions)

    message = b"\x01" + _sized(3, body)
    first = min(version, VERSIONS["TLSv1"]).to_bytes(2)
    pieces = [message[at : at + _LARGEST] for at in range(0, len(message), _LARGEST)]
    records = b"".join(b"\x16" + first + _sized(2, piece) for piece in pieces)

    return records + (b"\x17\x03\x03" + _sized(2, random * 2) if given.get("early") else b"")


def _extensions(given: Mapping[str, Any], greased: list[int], share: bytes) -> bytes:
    offers = given.get("offers", ["TLSv1.3", "TLSv1.2"])
    found = _extension(greased[0], b"") if greased else b""

    if given.get("sni"):
        found += _extension(_SERVER_NAME, _sized(2, b"\0" + _sized(2, str(given["sni"]).encode())))

    found += _extension(_GROUPS, _sized(2, _numbers([*greased[:1], _X25519, _P256])))
    found += _extension(_POINTS, _sized(1, b"\0"))
    found += _extension(_SIGNATURES, _sized(2, _numbers(_ALGORITHMS)))

    if given.get("alpn"):
        names = b"".join(_sized(1, str(name).encode()) for name in given["alpn"])
        found += _extension(_ALPN, _sized(2, names))

    if offers is not None:
        versions = [*greased[1:], *(_version(name) for name in offers)]
        found += _extension(_SUPPORTED_VERSIONS, _sized(1, _numbers(versions)))
        shares = _numbers(greased[:1]) + _sized(2, b"\0") if greased else b""
        found += _extension(_KEY_SHARE, _sized(2, shares + _numbers([_X25519]) + _sized(2, share)))

    if given.get("early"):
        found += _extension(_EARLY_DATA, b"")

    # RFC 8701 §3.1: the last one holds a byte.
    return found + (_extension(greased[1], b"\0") if greased else b"")


def _hello_of_version_2(random: bytes) -> bytes:
    """Three kinds of cipher, two of which TLS has, too; no session; a challenge."""
    kinds = bytes.fromhex("010080 07 00c0 00002f".replace(" ", ""))
    body = b"\x01\x00\x02" + len(kinds).to_bytes(2) + b"\0\0" + (16).to_bytes(2) + kinds + random[:16]

    return (0x8000 | len(body)).to_bytes(2) + body


def _version(name: Any) -> int:
    return VERSIONS[name] if name in VERSIONS else int(str(name), 16)


def _suite(name: Any) -> int:
    return SUITES[name] if name in SUITES else int(str(name), 16)


def _numbers(values: Sequence[int]) -> bytes:
    return b"".join(value.to_bytes(2) for value in values)


def _sized(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width) + data


def _extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2) + _sized(2, data)
