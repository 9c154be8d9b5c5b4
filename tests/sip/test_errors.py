"""RFC 7247 §7, both tables, cut from the text of the RFC: the table boxes below are its own lines."""

from __future__ import annotations

import re

import pytest

from simulator.sip.errors import code_for_condition, condition_for_code, conditions_behind_code

TABLE_2 = """
|  <bad-request/>              | 400                 |
|  <conflict/>                 | 400                 |
|  <feature-not-implemented/>  | 405 or 501 (1)      |
|  <forbidden/>                | 403 or 603 (2)      |
|  <gone/>                     | 301 or 410 (3)      |
|  <internal-server-error/>    | 500                 |
|  <item-not-found/>           | 404 or 604 (2)      |
|  <jid-malformed/>            | 400                 |
|  <not-acceptable/>           | 406 or 606 (2)      |
|  <not-allowed/>              | 403                 |
|  <not-authorized/>           | 401                 |
|  <policy-violation/>         | 403                 |
|  <recipient-unavailable/>    | 480 or 600 (2)      |
|  <redirect/>                 | 302                 |
|  <registration-required/>    | 407                 |
|  <remote-server-not-found/>  | 404 or 408 (4)      |
|  <remote-server-timeout/>    | 408                 |
|  <resource-constraint/>      | 500                 |
|  <service-unavailable/>      | see note (5) below  |
|  <subscription-required/>    | 400                 |
|  <undefined-condition/>      | 400                 |
|  <unexpected-request/>       | 491 or 400          |
"""

TABLE_3 = """
|  3xx                |  <redirect/>                    |
|  300                |  <redirect/>                    |
|  301                |  <gone/> (1)                    |
|  302                |  <redirect/>                    |
|  305                |  <redirect/>                    |
|  380                |  <not-acceptable/>              |
|  4xx                |  <bad-request/>                 |
|  400                |  <bad-request/>                 |
|  401                |  <not-authorized/>              |
|  402                |  <bad-request/> (2)             |
|  403                |  <forbidden/> (3)               |
|  404                |  <item-not-found/> (4)          |
|  405                |  <feature-not-implemented/>     |
|  406                |  <not-acceptable/>              |
|  407                |  <registration-required/>       |
|  408                |  <remote-server-timeout/> (5)   |
|  410                |  <gone/> (1)                    |
|  413                |  <policy-violation/>            |
|  414                |  <policy-violation/>            |
|  415                |  <not-acceptable/>              |
|  416                |  <not-acceptable/>              |
|  420                |  <feature-not-implemented/>     |
|  421                |  <not-acceptable/>              |
|  423                |  <resource-constraint/>         |
|  430                |  <recipient-unavailable/> (6)   |
|  439                |  <feature-not-implemented/> (6) |
|  440                |  <policy-violation/> (7)        |
|  480                |  <recipient-unavailable/>       |
|  481                |  <item-not-found/>              |
|  482                |  <not-acceptable/>              |
|  483                |  <not-acceptable/>              |
|  484                |  <item-not-found/>              |
|  485                |  <item-not-found/>              |
|  486                |  <recipient-unavailable/>       |
|  487                |  <recipient-unavailable/>       |
|  488                |  <not-acceptable/>              |
|  489                |  <policy-violation/> (8)        |
|  491                |  <unexpected-request/>          |
|  493                |  <bad-request/>                 |
|  5xx                |  <internal-server-error/>       |
|  500                |  <internal-server-error/>       |
|  501                |  <feature-not-implemented/>     |
|  502                |  <remote-server-not-found/>     |
|  503                |  <internal-server-error/> (9)   |
|  504                |  <remote-server-timeout/>       |
|  505                |  <not-acceptable/>              |
|  513                |  <policy-violation/>            |
|  6xx                |  <recipient-unavailable/>       |
|  600                |  <recipient-unavailable/>       |
|  603                |  <recipient-unavailable/>       |
|  604                |  <item-not-found/>              |
|  606                |  <not-acceptable/>              |
"""

CONDITIONS = re.findall(r"<([a-z-]+)/>\s*\| ([^|]*\S) *\|", TABLE_2)
CODES = re.findall(r"\|  (\d\w\w) +\|  <([a-z-]+)/>", TABLE_3)


def test_the_whole_tables_are_here() -> None:
    assert len(CONDITIONS) == 22
    assert len(CODES) == 52


@pytest.mark.parametrize(("condition", "text"), CONDITIONS)
def test_conditions_map_as_table_2_says(condition: str, text: str) -> None:
    allowed = {int(code) for code in re.findall(r"\b\d{3}\b", text)} or {403, 405}

    assert code_for_condition(condition, full=True) in allowed
    assert code_for_condition(condition, full=False) in allowed


@pytest.mark.parametrize(
    ("condition", "full", "bare"),
    [
        ("feature-not-implemented", 405, 501),  # note 1
        ("forbidden", 403, 603),  # note 2
        ("item-not-found", 404, 604),
        ("not-acceptable", 406, 606),
        ("recipient-unavailable", 480, 600),
    ],
)
def test_full_and_bare_addresses_differ_as_the_notes_say(condition: str, full: int, bare: int) -> None:
    assert code_for_condition(condition, full=True) == full
    assert code_for_condition(condition, full=False) == bare


def test_gone_is_301_with_and_410_without_an_address() -> None:
    assert code_for_condition("gone", full=False, new_address="sip:romeo@elsewhere.example") == 301
    assert code_for_condition("gone", full=False) == 410


def test_remote_server_not_found_tells_missing_from_unresolved() -> None:
    assert code_for_condition("remote-server-not-found", full=False) == 404
    assert code_for_condition("remote-server-not-found", full=False, unresolved=True) == 408


def test_service_unavailable_never_becomes_503() -> None:
    assert {code_for_condition("service-unavailable", full=full) for full in (True, False)} <= {403, 405}


def test_unknown_condition_counts_as_undefined() -> None:
    assert code_for_condition("no-such-condition", full=True) == 400


@pytest.mark.parametrize(("code", "condition"), CODES)
def test_codes_map_as_table_3_says(code: str, condition: str) -> None:
    # A class stands for its codes that are not listed: x99 is in no table.
    assert condition_for_code(int(code.replace("xx", "99"))) == condition


@pytest.mark.parametrize("code", [100, 200, 299, 700])
def test_only_errors_have_a_condition(code: int) -> None:
    with pytest.raises(ValueError, match="no error"):
        condition_for_code(code)


def test_a_code_names_every_condition_behind_it() -> None:
    assert conditions_behind_code(403) == ["forbidden", "not-allowed", "policy-violation", "service-unavailable"]
    assert conditions_behind_code(408) == ["remote-server-not-found", "remote-server-timeout"]
    assert conditions_behind_code(603) == ["forbidden"]
    assert conditions_behind_code(200) == []
