"""The verbs about connections that die, what is sent to find out, and how much reaches a person: a part of the table.

Knows what each says and which judge reads what it saw. How a connection dies is `world.acts.liveness`.
"""

from __future__ import annotations

from simulator.scenario.verb import Verb

RESET, DEAD = "reset", "dead"
NONE = "none"

LIVENESS_VERBS = (
    Verb(
        name="loses its connections",
        actors=("partner",),
        says="Every connection of this partner ends now, those included that no step has opened; new ones are taken as "
        "before. `reset`: with RST. `dead`: without a sign, as when a router forgets them: nothing that is sent there "
        "is acknowledged any more.",
        example="gmail.com loses its connections: dead",
        argument="required",
        words=(RESET, DEAD),
    ),
    Verb(
        name="stops reading",
        actors=("partner",),
        says="Reads nothing more on the streams that the system has opened to it, and has room for little, so that the "
        "system's TCP is told to wait; {seconds}: and goes on after so many, {times}: having read a little each time "
        "before, when so many seconds have gone by so often.",
        example="gmail.com stops reading: {seconds: 0.3}",
        argument="optional",
        keys=("seconds", "times"),
    ),
    Verb(
        name="receives white space",
        actors=("partner",),
        says="Waits for white space between elements on the stream; {after}: not sooner than so many seconds after the "
        "white space before, or after the step before where there was none. `none`: none has come.",
        example="gmail.com receives white space: {after: 0.3}",
        expects="white-space",
        argument="optional",
        keys=("after",),
        words=(NONE,),
        stream=True,
    ),
    Verb(
        name="has received at most",
        actors=("user",),
        says="So many presences have reached the user from the beginning, and not more: everybody's, or those of one "
        "contact or of one of their devices.",
        example="alice@contoso.com has received at most: {presences: 60, from: juliet@gmail.com}",
        expects="count",
        argument="required",
        keys=("presences", "from"),
        needs=frozenset({"presence"}),
    ),
)
