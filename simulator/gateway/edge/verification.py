"""Asking a domain's own server whether a dialback key is its (XEP-0220 §2.1.2), on a short stream for each question.

Knows how to ask, and which answer counts. Does not know who wants to know: whoever asks is called back once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from simulator.gateway.edge.answers import Question, question_of_answer
from simulator.gateway.edge.attending import attended
from simulator.gateway.edge.channel import Ended
from simulator.gateway.edge.context import Context, Log
from simulator.gateway.edge.dialling import Dialler
from simulator.gateway.edge.failures import Failure, StreamFailure
from simulator.gateway.edge.outbound_negotiation import Purpose, failure_of_end
from simulator.gateway.partner import AllowedPartner
from simulator.xmpp import dialback
from simulator.xmpp.dialback import PairEvent
from simulator.xmpp.events import DialbackResult, DialbackVerify

#: True: the key is good; False: it is not; else why nobody knows
Outcome = bool | StreamFailure
OnOutcome = Callable[[Outcome], None]


class Verifications:
    """All questions that are being asked."""

    def __init__(self, context: Context, dialler: Dialler) -> None:
        self._context, self._dialler = context, dialler
        self._asking: dict[Question, Verification] = {}
        self._dialled: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def ask(
        self, question: Question, request: DialbackResult, partner: AllowedPartner, on_outcome: OnOutcome
    ) -> Verification:
        """Ask the authoritative server of ``question[1]``, found by our own lookup, in the name of ``question[0]``."""
        verification = Verification(self, question, request, partner, on_outcome)
        self._asking[question] = verification

        return verification

    def stray(self, answer: DialbackVerify) -> None:
        """An answer came on a stream on which nothing was asked. §3.1: believing it lets anybody spoof anybody."""
        question = question_of_answer(answer)

        if question is not None and self._context.rules.verification_is_expected(question, ()):
            verification = self._asking.get(question)

            if verification is not None:
                verification.decide(answer)

    @property
    def log(self) -> Log:
        """Where what happens is told."""
        return self._context.log

    def stop(self) -> None:
        """Give up all questions."""
        for verification in tuple(self._asking.values()):
            verification.cancel()

    async def run(self, verification: Verification) -> Outcome:
        """Ask one question; gives its outcome within StreamEstablishmentTimeout."""
        timeout = self._context.rules.establishment_timeout(self._context.configuration.gateway)

        try:
            async with asyncio.timeout(timeout), self._turn(verification.partner):
                return await self._ask(verification)
        except TimeoutError:
            return StreamFailure(Failure.TIMEOUT)
        except StreamFailure as failure:
            return failure

    def forget(self, verification: Verification) -> None:
        """A question is answered or given up."""
        if self._asking.get(verification.question) is verification:
            del self._asking[verification.question]

    @asynccontextmanager
    async def _turn(self, partner: AllowedPartner) -> AsyncGenerator[None]:
        """Wait until one more stream may be opened to a partner to ask something.

        Anybody can have us ask, and from several places at once: a partner's limit of connections holds for those that
        we open to it for the sake of others, too.
        """
        limit = self._context.census.limit(partner)

        while not self._context.rules.connection_is_allowed(self._dialled[partner.identity], limit):
            self._changed.clear()
            await self._changed.wait()

        self._dialled[partner.identity] += 1

        try:
            yield
        finally:
            self._dialled[partner.identity] -= 1
            self._changed.set()

    async def _ask(self, verification: Verification) -> Outcome:
        target, sender, stream_id = verification.question
        request = verification.request
        opened = await self._dialler.open(target, sender, verification.partner, purpose=Purpose.VERIFICATION)
        channel = opened.channel

        try:
            # The names as the peer wrote them: it may have made the key of its own spelling, which need not be ours.
            channel.send(DialbackVerify(sender=request.to, to=request.sender, id=stream_id, key=request.key))
            verification.progress.handle(PairEvent.KEY_SENT)

            while True:
                event = await channel.next_event()

                if isinstance(event, Ended):
                    verification.progress.handle(PairEvent.STREAM_ENDED)
                    return failure_of_end(event)

                outcome = self._outcome(event, verification) if isinstance(event, DialbackVerify) else None

                if outcome is not None:
                    return outcome
        finally:
            if self._context.rules.closes_after_answer():
                channel.finish()

    def _outcome(self, answer: DialbackVerify, verification: Verification) -> Outcome | None:
        """What an answer says on the stream of this question; None when it is none to it, and is dropped."""
        question = question_of_answer(answer)

        if question is None or not self._context.rules.verification_is_expected(question, (verification.question,)):
            return None

        return self.outcome_of(answer, verification)

    def outcome_of(self, answer: DialbackVerify, verification: Verification) -> Outcome | None:
        """What an answer says; None when its type is none that an answer has (§2.2.2)."""
        kind, positive = dialback.ANSWERS.get(answer.type), self._context.rules.verification_is_positive(answer.type)

        if positive != (kind is PairEvent.VALID):
            kind = PairEvent.VALID if positive else PairEvent.INVALID

        if kind is None or not verification.progress.handle(kind):
            return None

        if kind is PairEvent.ERROR:
            return StreamFailure(Failure.NOT_VERIFIED, f"answered {answer.condition}")

        return kind is PairEvent.VALID


class Verification:
    """One question; the outcome is told once, unless it is cancelled before."""

    def __init__(
        self,
        verifications: Verifications,
        question: Question,
        request: DialbackResult,
        partner: AllowedPartner,
        on_outcome: OnOutcome,
    ) -> None:
        self.question, self.request, self.partner = question, request, partner
        self._verifications, self._on_outcome = verifications, on_outcome
        self._told = False
        self.progress = dialback.Pair(dialback.VERIFICATION)
        self._task = attended(self._run(), verifications.log, self._mistaken)

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        self._told = True
        self._verifications.forget(self)
        self._task.cancel()

    def decide(self, answer: DialbackVerify) -> None:
        """Take this answer, wherever it came from, and ask no further."""
        outcome = self._verifications.outcome_of(answer, self)

        if outcome is not None:
            self._tell(outcome)
            self._task.cancel()

    def _mistaken(self) -> None:
        self._tell(StreamFailure(Failure.BROKEN))

    async def _run(self) -> None:
        self._tell(await self._verifications.run(self))

    def _tell(self, outcome: Outcome) -> None:
        if not self._told:
            self._told = True
            self._verifications.forget(self)
            self._on_outcome(outcome)
