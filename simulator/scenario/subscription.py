"""The nine states of a subscription as they can be seen from outside, from the user's point of view.

Knows RFC 6121 Appendix A by its signs. Does not know how states follow each other.
"""

from __future__ import annotations

#: state -> `subscription` and `ask` of the entry of the contact list (RFC 6121 §2.1.2). An entry that is not there says
#: none, too.
LISTED: dict[str, tuple[str, str]] = {
    "N": ("none", ""),
    "NPI": ("none", ""),
    "NPO": ("none", "subscribe"),
    "NPOI": ("none", "subscribe"),
    "T": ("to", ""),
    "TPI": ("to", ""),
    "F": ("from", ""),
    "FPO": ("from", "subscribe"),
    "B": ("both", ""),
}
#: §3.1.3: the request of the contact waits for an answer, and is shown at every sign-in until there is one.
PENDING_IN = frozenset({"NPI", "NPOI", "TPI"})
#: §4.3.2: a probe of the contact is answered with presence.
SEEN_BY_CONTACT = frozenset({"F", "FPO", "B"})
