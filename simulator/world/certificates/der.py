"""The few pieces of DER (X.690) that certificates are made of, right or wrong as the caller wants them.

Knows tags and lengths. Does not know what a certificate is, and reads nothing: others read what we write.
"""

from __future__ import annotations

import ssl
from datetime import datetime

from cryptography import x509

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTF8_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x16, 0x17, 0x18
SEQUENCE = 0x30
NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"


def element(tag: int, *content: bytes) -> bytes:
    """One element, with the shortest length that says its size (X.690 §10.1)."""
    body = b"".join(content)

    if len(body) < 0x80:
        return bytes((tag, len(body))) + body

    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")

    return bytes((tag, 0x80 | len(length))) + length + body


def explicit(number: int, *content: bytes) -> bytes:
    """An element inside of context tag [number]."""
    return element(0xA0 | number, *content)


def sequence(*elements: bytes) -> bytes:
    """A SEQUENCE."""
    return element(SEQUENCE, *elements)


def integer(value: int) -> bytes:
    """An INTEGER in two's complement; negative ones, too."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(number) for number in dotted.split("."))
    content = bytearray()

    for number in (first * 40 + second, *rest):
        digits = [number & 0x7F]

        while number := number >> 7:
            digits.append(0x80 | (number & 0x7F))

        content += bytes(reversed(digits))

    return element(OID, bytes(content))


def bit_string(content: bytes) -> bytes:
    """A BIT STRING of whole octets."""
    return element(BIT_STRING, b"\x00", content)


def time(moment: datetime) -> bytes:
    """A time of a certificate. RFC 5280 §4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050 on."""
    if moment.year < 2050:
        return element(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())

    return element(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def pem(certificate: bytes) -> bytes:
    """A certificate in PEM (RFC 7468 §5.1)."""
    return ssl.DER_cert_to_PEM_cert(certificate).encode()


def name(attributes: x509.Name) -> bytes:
    """A distinguished name."""
    return attributes.public_bytes()
