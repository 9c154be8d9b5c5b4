"""The order in which SRV targets are tried (RFC 2782), without a name server."""

from __future__ import annotations

import random
from collections import Counter

from simulator.wire.service import (
    ServiceRecord,
    WithoutService,
    falls_back_to_address,
    order_targets,
    service_is_denied,
)


def record(priority: int, weight: int, host: str) -> ServiceRecord:
    return ServiceRecord(priority, weight, 5269, host)


def test_the_lowest_priority_comes_first() -> None:
    records = [record(20, 0, "alt1"), record(5, 0, "main"), record(20, 0, "alt2")]

    for seed in range(50):
        first, *rest = order_targets(records, random.Random(seed))
        assert first.host == "main"
        assert {target.host for target in rest} == {"alt1", "alt2"}


def test_weights_are_shares_of_the_first_place() -> None:
    records = [record(5, 0, "none"), record(5, 10, "few"), record(5, 90, "most")]
    entropy, rounds = random.Random(7), 10_000
    first = Counter(order_targets(records, entropy)[0].host for _ in range(rounds))

    # RFC 2782's draw is from 0 to the sum inclusive: 101 numbers, of which weight 0 gets one.
    expected = {"none": rounds / 101, "few": rounds * 10 / 101, "most": rounds * 90 / 101}
    chi_square = sum((first[host] - count) ** 2 / count for host, count in expected.items())
    # 99.9 % quantile for two degrees of freedom is 13.8.
    assert chi_square < 20, first


def test_equal_weights_of_zero_share_the_load() -> None:
    records = [record(20, 0, f"alt{number}") for number in range(5)]
    entropy = random.Random(7)
    first = Counter(order_targets(records, entropy)[0].host for _ in range(5000))

    assert all(800 < count < 1200 for count in first.values()), first


def test_the_same_seed_gives_the_same_order() -> None:
    records = [record(5, weight, str(weight)) for weight in range(20)]

    assert order_targets(records, random.Random(3)) == order_targets(records, random.Random(3))


def test_only_root_targets_deny_the_service() -> None:
    assert service_is_denied([record(0, 0, "")])
    assert service_is_denied([record(0, 0, ""), record(1, 0, "")])
    assert not service_is_denied([record(0, 0, ""), record(0, 0, "host")])
    assert not service_is_denied([record(0, 0, "host")])


def test_unreachable_targets_are_no_reason_to_fall_back() -> None:
    assert falls_back_to_address(WithoutService.NOT_PUBLISHED)
    assert falls_back_to_address(WithoutService.NO_RESPONSE)
    assert not falls_back_to_address(WithoutService.UNREACHABLE)
