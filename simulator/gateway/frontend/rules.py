"""Every decision of the front end, each a field that can be replaced to make a deliberate defect.

Knows what is decided. Does not know how it is carried out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FrontEndRules:
    """What the front end decides; the defaults are right."""
