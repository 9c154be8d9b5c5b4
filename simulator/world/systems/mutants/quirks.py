"""Deliberate defects that show with peers as they are found in practice: those that say too little, or say it oddly.

Knows the rules that it breaks, one for each defect.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.gateway.edge.header import FeatureJudgement, judge_features
from simulator.gateway.rules import Rules
from simulator.world.systems.mutants.mutant import Mutant
from simulator.xmpp.errors import RemoteProtocolError, StreamCondition
from simulator.xmpp.events import StreamFeatures, StreamHeader

RIGHT = Rules()


def _demanding(answer: StreamHeader, features: StreamFeatures | None) -> FeatureJudgement:
    """Whatever is offered beside dialback is taken for a condition."""
    unknown = [each for each in features.features if not each.tag.endswith("}dialback")] if features is not None else []

    if unknown:
        return FeatureJudgement(refusal=RemoteProtocolError(StreamCondition.UNSUPPORTED_FEATURE, unknown[0].tag))

    return judge_features(answer, features)


QUIRKS: tuple[Mutant, ...] = (
    Mutant(
        "requests-are-spammed",
        "Sends every request again whenever it could.",
        replace(RIGHT, home=replace(RIGHT.home, is_resent=lambda asked_at, at, interval: True)),
    ),
    Mutant(
        "every-feature-is-a-must",
        "Gives up a stream for every feature that it does not know.",
        replace(RIGHT, judge_features=_demanding),
    ),
    Mutant(
        "pings-everybody",
        "Pings partners although nobody has asked for it, and they need not know what that is.",
        replace(RIGHT, pings=lambda settings: True),
    ),
)
