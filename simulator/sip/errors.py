"""What can be wrong with SIP, response codes in words, and how they map to XMPP conditions and back (RFC 7247 §7).

SIPError                      (never raised itself)
├── SIPSyntaxError            the message cannot be understood; `code` answers it
│   └── UnsupportedScheme     a URI that this side of the gateway cannot serve (416)
└── framing.FramingError      the byte stream is lost: answer `code` if at all, then close the connection

Knows both tables as data. Does not know stanzas: a condition is the name of its element.
"""

from __future__ import annotations


class SIPError(Exception):
    """Something about received SIP is wrong; `code` is the response that says so."""

    code = 400


class SIPSyntaxError(SIPError, ValueError):
    """The message or one of its headers breaks the grammar of RFC 3261."""


class UnsupportedScheme(SIPSyntaxError):  # noqa: N818 - the response's own name is the clearest
    """RFC 3261 §8.2.2.1: "If the Request-URI uses a scheme not supported by the UAS, it SHOULD reject with 416"."""

    code = 416


#: RFC 7247 Table 2: condition -> (code about a full JID, code about a bare JID). Where the table has one code, twice
#: that one. Three notes of the table need more than the condition: see `code_for_condition`.
CONDITION_TO_CODES: dict[str, tuple[int, int]] = {
    "bad-request": (400, 400),
    "conflict": (400, 400),
    "feature-not-implemented": (405, 501),
    "forbidden": (403, 603),
    "gone": (410, 410),
    "internal-server-error": (500, 500),
    "item-not-found": (404, 604),
    "jid-malformed": (400, 400),
    "not-acceptable": (406, 606),
    "not-allowed": (403, 403),
    "not-authorized": (401, 401),
    "policy-violation": (403, 403),
    "recipient-unavailable": (480, 600),
    "redirect": (302, 302),
    "registration-required": (407, 407),
    "remote-server-not-found": (404, 404),
    "remote-server-timeout": (408, 408),
    "resource-constraint": (500, 500),
    # Note 5: 503 is NOT RECOMMENDED, "403 Forbidden and 405 Method Not Allowed are closest in meaning". We take 403:
    # a 405 must carry Allow, which would have to deny the very MESSAGE that other users here accept.
    "service-unavailable": (403, 403),
    "subscription-required": (400, 400),
    "undefined-condition": (400, 400),
    # "491 or 400", without a note. 491 belongs to re-INVITE glare (RFC 3261 §14.1) and would make a client retry.
    "unexpected-request": (400, 400),
}

#: Conditions whose code has an equally good second in the table; for judges, never chosen here.
ALSO_ALLOWED: dict[str, frozenset[int]] = {
    "gone": frozenset({301}),
    "remote-server-not-found": frozenset({408}),
    "service-unavailable": frozenset({405}),
    "unexpected-request": frozenset({491}),
}

#: RFC 7247 Table 3: code -> condition
CODE_TO_CONDITION: dict[int, str] = {
    300: "redirect",
    301: "gone",
    302: "redirect",
    305: "redirect",
    380: "not-acceptable",
    400: "bad-request",
    401: "not-authorized",
    402: "bad-request",
    403: "forbidden",
    404: "item-not-found",
    405: "feature-not-implemented",
    406: "not-acceptable",
    407: "registration-required",
    408: "remote-server-timeout",
    410: "gone",
    413: "policy-violation",
    414: "policy-violation",
    415: "not-acceptable",
    416: "not-acceptable",
    420: "feature-not-implemented",
    421: "not-acceptable",
    423: "resource-constraint",
    430: "recipient-unavailable",
    439: "feature-not-implemented",
    440: "policy-violation",
    480: "recipient-unavailable",
    481: "item-not-found",
    482: "not-acceptable",
    483: "not-acceptable",
    484: "item-not-found",
    485: "item-not-found",
    486: "recipient-unavailable",
    487: "recipient-unavailable",
    488: "not-acceptable",
    489: "policy-violation",
    491: "unexpected-request",
    493: "bad-request",
    500: "internal-server-error",
    501: "feature-not-implemented",
    502: "remote-server-not-found",
    503: "internal-server-error",
    504: "remote-server-timeout",
    505: "not-acceptable",
    513: "policy-violation",
    600: "recipient-unavailable",
    603: "recipient-unavailable",
    604: "item-not-found",
    606: "not-acceptable",
}

#: RFC 7247 §7.2: "If a gateway encounters a SIP response code that is not listed below, it SHOULD map ..."
CLASS_TO_CONDITION: dict[int, str] = {
    3: "redirect",
    4: "bad-request",
    5: "internal-server-error",
    6: "recipient-unavailable",
}

#: RFC 3261 §21 and, from 423 on, the documents that RFC 7247 names.
PHRASES: dict[int, str] = {
    100: "Trying",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    423: "Interval Too Brief",
    430: "Flow Failed",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}


def code_for_condition(condition: str, *, full: bool, new_address: str = "", unresolved: bool = False) -> int:
    """The SIP code for an XMPP error condition (Table 2).

    `full`: the error is about a full JID. `new_address`: what ``<gone/>`` holds. `unresolved`: the remote server may
    well exist and could only not be resolved. An unknown condition counts as undefined-condition.
    """
    # Note 3: with a new address "the error MUST be mapped to SIP 301; if not, it MUST be mapped to SIP 410".
    if condition == "gone" and new_address:
        return 301

    # Note 4: "404 to cover (a) [does not exist] and 408 to cover (b) [cannot be resolved]".
    if condition == "remote-server-not-found" and unresolved:
        return 408

    about_full, about_bare = CONDITION_TO_CODES.get(condition, CONDITION_TO_CODES["undefined-condition"])

    return about_full if full else about_bare


def condition_for_code(code: int) -> str:
    """The XMPP error condition for a final SIP error (Table 3, then its class); raises ValueError below 300."""
    if not 300 <= code <= 699:
        raise ValueError(f"{code} is no error")

    return CODE_TO_CONDITION.get(code) or CLASS_TO_CONDITION[code // 100]


def conditions_behind_code(code: int) -> list[str]:
    """Every XMPP condition that Table 2 maps to this code, sorted: what may have happened on the XMPP side."""
    return sorted(
        condition
        for condition, codes in CONDITION_TO_CODES.items()
        if code in codes or code in ALSO_ALLOWED.get(condition, ())
    )
