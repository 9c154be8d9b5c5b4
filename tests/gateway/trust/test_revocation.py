"""Lists of revoked certificates: which are used, what they say, and how they are had (RFC 5280 §5, §6.3)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from simulator.gateway.trust.revocation import KEPT_AT_MOST, MOST_BYTES, RETRY_AFTER, RevocationLists
from simulator.gateway.trust.rules import TrustRules
from simulator.wire.fetch import FetchError
from simulator.wire.tls import CertificateError, ChainFault
from tests.gateway.trust.listing import a_list, der, leaf, pem
from tests.gateway.trust.minting import (
    AN_AUTHORITY,
    DAY,
    NOW,
    SIGNS_ALL,
    Extension,
    mint,
    other_key,
    root,
    seen,
)

URL, OTHER_URL = "http://lists.example/root.crl", "http://mirror.example/root.crl"
REVOKED = ("the certificate is revoked",)


@dataclass
class Web:
    """Lists at URLs, and who asked for what; a URL with nothing behind it is down."""

    at: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    opens: asyncio.Event | None = None
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, url: str, *, timeout: float, at_most: int) -> bytes:
        assert at_most == MOST_BYTES
        self.asked.append(url)
        self.was_asked.set()

        if self.opens is not None:
            async with asyncio.timeout(timeout):
                await self.opens.wait()

        if url not in self.at:
            raise FetchError(f"{url}: nobody listens")

        return self.at[url]


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Known:
    """Lists, with the world they are had from."""

    lists: RevocationLists
    web: Web
    clock: Clock
    log: list[str]


@pytest.fixture
def known(tmp_path: Path) -> Callable[..., Known]:
    def make(*files: bytes, web: Web | None = None, required: bool = False, rules: TrustRules | None = None) -> Known:
        paths = []

        for number, content in enumerate(files):
            paths.append(tmp_path / f"{number}.crl")
            paths[-1].write_bytes(content)

        log: list[str] = []
        clock = Clock()
        lists = RevocationLists(paths, web, rules=rules or TrustRules(), log=log.append, required=required, now=clock)

        return Known(lists, web or Web(), clock, log)

    return make


@pytest.mark.parametrize("encode", [pem, der], ids=["PEM", "DER"])
async def test_list_in_a_file_revokes(known: Callable[..., Known], encode: Callable[..., bytes]) -> None:
    bad, good = leaf(), leaf()
    lists = known(encode(a_list(bad))).lists

    assert await lists.revoked(seen(bad)) == REVOKED
    assert await lists.revoked(seen(good)) == ()


async def test_every_list_in_a_file_is_read(known: Callable[..., Known]) -> None:
    bad = leaf()
    stranger = mint(*AN_AUTHORITY, common="stranger", key=other_key(7))

    assert await known(pem(a_list(issuer=stranger), a_list(bad))).lists.revoked(seen(bad)) == REVOKED


async def test_authority_on_a_list_takes_all_below_with_it(known: Callable[..., Known]) -> None:
    between = mint(*AN_AUTHORITY, issuer=root(), common="between", key=other_key(8))
    below = leaf(issuer=between)

    assert await known(pem(a_list(between))).lists.revoked(seen(below, between, root())) == (
        "certificate 1 of the path is revoked",
    )


def of_other_places(url: str = "http://lists.example/other.crl") -> Extension:
    return distribution(full_name=[x509.UniformResourceIdentifier(url)])


def distribution(**more: object) -> Extension:
    given: dict[str, object] = {
        "full_name": None, "relative_name": None, "only_contains_user_certs": False, "only_contains_ca_certs": False,
        "only_some_reasons": None, "indirect_crl": False, "only_contains_attribute_certs": False,
    }  # fmt: skip

    return x509.IssuingDistributionPoint(**{**given, **more}), True  # type: ignore[arg-type]


STRANGER = mint(*AN_AUTHORITY, common="stranger", key=other_key(9))
IMPOSTOR = mint(*AN_AUTHORITY, common="root", key=other_key(9))
SOME_REASONS = frozenset({x509.ReasonFlags.key_compromise})
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.2"), b"\x05\x00")


@pytest.mark.parametrize(
    "unusable",
    [
        {"issuer": STRANGER},
        {"signer": IMPOSTOR},
        {"last": NOW - 2 * DAY, "following": NOW - DAY},
        {"last": NOW + DAY, "following": NOW + 2 * DAY},
        {"extensions": ((x509.DeltaCRLIndicator(1), True),)},
        {"extensions": ((UNKNOWN, True),)},
        {"extensions": (distribution(indirect_crl=True),)},
        {"extensions": (distribution(only_some_reasons=SOME_REASONS),)},
        {"extensions": (distribution(only_contains_attribute_certs=True),)},
        {"extensions": (distribution(only_contains_ca_certs=True),)},
        {"extensions": (of_other_places(),)},
    ],
    ids=[
        "of another issuer", "of another key", "out of date", "of tomorrow", "delta", "critical extension", "indirect",
        "some reasons", "attribute certificates", "authorities only", "another piece",
    ],
)  # fmt: skip
async def test_list_that_cannot_tell_is_not_used(known: Callable[..., Known], unusable: dict[str, object]) -> None:
    """It neither revokes, nor does it count as a list that was looked at."""
    bad = leaf(URL)
    file = pem(a_list(bad, **unusable))  # type: ignore[arg-type]

    assert await known(file).lists.revoked(seen(bad)) == ()
    (reason,) = await known(file, required=True).lists.revoked(seen(bad))
    assert reason.startswith("no current list of revoked certificates is to be had for the certificate (serial")


@pytest.mark.parametrize(
    "usable",
    [
        {"extensions": (distribution(only_contains_user_certs=True),)},
        {"extensions": (of_other_places(URL),)},
        {"extensions": ((UNKNOWN, False), (x509.CRLNumber(7), False))},
    ],
    ids=["end entities", "this piece", "extensions that do not matter"],
)
async def test_list_that_can_tell_is_used(known: Callable[..., Known], usable: dict[str, object]) -> None:
    bad = leaf(URL)

    assert await known(pem(a_list(bad, **usable)), required=True).lists.revoked(seen(bad)) == REVOKED  # type: ignore[arg-type]
    assert await known(pem(a_list(**usable)), required=True).lists.revoked(seen(bad)) == ()  # type: ignore[arg-type]


async def test_authority_that_may_not_sign_lists_signs_none(known: Callable[..., Known]) -> None:
    certificates_only = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    assert SIGNS_ALL.crl_sign
    issuer = mint((x509.BasicConstraints(True, None), True), (certificates_only, True), common="r", key=other_key(10))
    bad = leaf(issuer=issuer)

    assert await known(pem(a_list(bad, issuer=issuer))).lists.revoked(seen(bad, issuer)) == ()


async def test_list_over_http_revokes(known: Callable[..., Known]) -> None:
    bad, good = leaf(URL), leaf(URL)
    world = known(web=Web({URL: der(a_list(bad))}))

    assert await world.lists.revoked(seen(bad)) == REVOKED
    assert await world.lists.revoked(seen(good)) == ()
    assert world.web.asked == [URL]


async def test_second_place_is_tried_when_the_first_is_down(known: Callable[..., Known]) -> None:
    bad = leaf(URL, OTHER_URL)
    world = known(web=Web({OTHER_URL: der(a_list(bad))}))

    assert await world.lists.revoked(seen(bad)) == REVOKED
    assert world.web.asked == [URL, OTHER_URL]


async def test_only_http_is_asked_and_not_for_ever(known: Callable[..., Known]) -> None:
    many = [f"http://lists.example/{number}" for number in range(50)]
    bad = leaf("ldap://lists.example/x", "file:///etc/passwd", "https://lists.example/", *many)
    world = known(web=Web())

    assert await world.lists.revoked(seen(bad)) == ()
    assert world.web.asked == many[:4]


async def test_file_that_revokes_needs_no_web(known: Callable[..., Known]) -> None:
    bad = leaf(URL)
    world = known(pem(a_list(bad)), web=Web())

    assert await world.lists.revoked(seen(bad)) == REVOKED
    assert world.web.asked == []


async def test_web_may_know_more_than_a_file(known: Callable[..., Known]) -> None:
    bad = leaf(URL)

    assert await known(pem(a_list()), web=Web({URL: der(a_list(bad))})).lists.revoked(seen(bad)) == REVOKED


@pytest.mark.parametrize("answer", [None, b"<html>not here</html>", b""], ids=["down", "a page", "nothing"])
async def test_list_that_is_not_to_be_had_is_logged_and_forgiven(
    known: Callable[..., Known], answer: bytes | None
) -> None:
    world = known(web=Web({} if answer is None else {URL: answer}))

    assert await world.lists.revoked(seen(leaf(URL))) == ()
    assert [URL in world.log[0], "taken without" in world.log[1]] == [True, True]


async def test_list_that_is_not_to_be_had_is_fatal_where_it_is_required(known: Callable[..., Known]) -> None:
    world = known(web=Web(), required=True)

    (reason,) = await world.lists.revoked(seen(leaf(URL)))
    assert reason.startswith("no current list of revoked certificates is to be had for the certificate (serial")


async def test_place_that_was_down_is_left_in_peace_for_a_while(known: Callable[..., Known]) -> None:
    bad, world = leaf(URL), known(web=Web())

    for wait, asked in ((timedelta(), 1), (RETRY_AFTER / 2, 1), (RETRY_AFTER, 2)):
        world.clock.now = NOW + wait
        assert await world.lists.revoked(seen(bad)) == ()
        assert len(world.web.asked) == asked

    world.web.at[URL] = der(a_list(bad))
    world.clock.now += 2 * RETRY_AFTER
    assert await world.lists.revoked(seen(bad)) == REVOKED


@pytest.mark.parametrize(
    ("lasts", "kept"), [(timedelta(hours=2), timedelta(hours=2)), (9 * DAY, KEPT_AT_MOST)], ids=["short", "long"]
)
async def test_list_is_kept_until_the_next_is_due(
    known: Callable[..., Known], lasts: timedelta, kept: timedelta
) -> None:
    bad = leaf(URL)
    world = known(web=Web({URL: der(a_list(following=NOW + lasts))}))

    for moment in (NOW, NOW + kept - timedelta(seconds=1)):
        world.clock.now = moment
        assert await world.lists.revoked(seen(bad)) == ()
        assert len(world.web.asked) == 1

    world.web.at[URL] = der(a_list(bad, following=NOW + 20 * DAY))
    world.clock.now = NOW + kept
    assert await world.lists.revoked(seen(bad)) == REVOKED


async def test_many_who_ask_at_once_fetch_once(known: Callable[..., Known]) -> None:
    bad = leaf(URL)
    world = known(web=Web({URL: der(a_list(bad))}, opens=asyncio.Event()))
    asking = [asyncio.create_task(world.lists.revoked(seen(bad))) for _ in range(5)]
    await world.web.was_asked.wait()

    # Whoever fetches may be gone before the answer comes: another takes over.
    asking[0].cancel()
    assert world.web.opens is not None
    world.web.opens.set()

    assert [await task for task in asking[1:]] == [REVOKED] * 4
    assert world.web.asked == [URL, URL]


async def test_nothing_is_fetched_on_the_word_of_a_stranger(known: Callable[..., Known]) -> None:
    bad = leaf(URL)
    world = known(web=Web({URL: der(a_list(bad))}), required=True)

    assert await world.lists.revoked(replace(seen(bad), faults=(ChainFault(10, 0),))) == ()
    assert await world.lists.revoked(replace(seen(bad), path=())) == ()
    assert await world.lists.revoked(replace(seen(bad), certificate=None, path=())) == ()
    assert world.web.asked == []


async def test_file_that_changed_is_read_again(known: Callable[..., Known], tmp_path: Path) -> None:
    bad, world = leaf(), known(pem(a_list()))
    assert await world.lists.revoked(seen(bad)) == ()

    renew(tmp_path / "0.crl", pem(a_list(bad)))
    assert await world.lists.revoked(seen(bad)) == REVOKED

    renew(tmp_path / "0.crl", b"half a list")
    assert await world.lists.revoked(seen(bad)) == REVOKED
    assert "holds no list of revoked certificates" in world.log[-1]


def renew(path: Path, content: bytes) -> None:
    written = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(written + 1_000_000_000, written + 1_000_000_000))


def test_file_that_holds_no_list_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "lists.pem"

    for content, words in ((None, "cannot be read"), (b"", "holds no list"), (root().pem, "holds no list")):
        if content is not None:
            file.write_bytes(content)

        with pytest.raises(CertificateError, match=words):
            RevocationLists([file], rules=TrustRules(), log=print)
