"""The oracle of the negotiation matrix: against the documented rows, and against the specifications' sentences."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from simulator.gateway import negotiation as gateway
from simulator.scenario.encounter import (
    TLS,
    Abilities,
    Allowed,
    Certificate,
    Direction,
    Expectation,
    Means,
    Outcome,
    Point,
    Refusal,
)
from simulator.scenario.negotiation import expected
from simulator.scenario.negotiation_table import COMMON, DEFAULTS, TABLE, NotValid, Settings
from tests.scenario.encounters import (
    BAD,
    ENCOUNTERS,
    EXTERNAL,
    IN,
    MODERN,
    NOT_VALID,
    OUT,
    OVER_TCP,
    OVER_TLS,
    PLAIN,
    VALID,
    N,
    O,
    R,
    allowed,
    outcome,
)


def because(expectation: Expectation, found: Outcome) -> str:
    """The text that allows an outcome besides the right one."""
    return next((other.because for other in expectation.alternatives if other.outcome == found), "")


# -- Microsoft's page


def test_the_page_has_every_combination_once_in_its_order() -> None:
    assert len(TABLE) == 18
    assert [row.number for row in TABLE.values()] == list(range(1, 19))


def test_five_rows_are_not_valid() -> None:
    assert [TABLE[settings].number for settings in NOT_VALID] == [6, 12, 14, 16, 18]


@pytest.mark.parametrize("settings", NOT_VALID, ids=str)
def test_a_row_that_is_not_valid_says_why(settings: Settings) -> None:
    with pytest.raises(NotValid, match=TABLE[settings].remark):
        expected(settings, MODERN, IN)


def test_the_table_was_written_twice_and_is_the_same() -> None:
    words = {R: gateway.Negotiation.REQUIRED, O: gateway.Negotiation.OPTIONAL, N: gateway.Negotiation.NOT_SUPPORTED}
    methods = {
        EXTERNAL: gateway.Method.SASL_OVER_TLS,
        OVER_TLS: gateway.Method.TLS_DIALBACK,
        OVER_TCP: gateway.Method.TCP_DIALBACK,
    }

    for settings, row in TABLE.items():
        theirs = gateway.TABLE[words[settings.tls], words[settings.sasl], settings.dialback]
        assert theirs.methods == {methods[method] for method in row.methods}


def test_the_remarks_of_rows_that_are_not_valid_are_what_the_gateway_says() -> None:
    words = {R: gateway.Negotiation.REQUIRED, O: gateway.Negotiation.OPTIONAL, N: gateway.Negotiation.NOT_SUPPORTED}

    for settings in NOT_VALID:
        said = gateway.NOTES[gateway.TABLE[words[settings.tls], words[settings.sasl], settings.dialback].note]
        assert TABLE[settings].remark in said


def test_the_common_table_differs_from_the_complete_one_in_one_method_only() -> None:
    differing = {settings: methods ^ TABLE[settings].methods for settings, methods in COMMON.items()}

    assert {settings: methods for settings, methods in differing.items() if methods} == {
        Settings(R, O, True): frozenset({OVER_TCP})
    }


def test_what_is_not_set_is_the_first_row() -> None:
    assert TABLE[DEFAULTS].number == 1
    assert outcome(DEFAULTS, PLAIN, IN) == Refusal(Point.DIALBACK, Means.DIALBACK_ERROR, "policy-violation")


def test_a_row_has_a_capability_of_its_own() -> None:
    assert Settings(R, O, True).capability == "settings required/optional/dialback"
    assert Settings(N, N, False).capability == "settings not-supported/not-supported/no-dialback"
    assert len({settings.capability for settings in TABLE}) == 18


def test_only_the_methods_of_the_row_ever_authenticate() -> None:
    assert not [one for one in ENCOUNTERS if not one[3].methods <= one[0].methods]


def test_every_method_of_every_row_is_had_with_some_partner_in_both_directions() -> None:
    for settings, direction in itertools.product(VALID, Direction):
        had = {one[3].outcome for one in ENCOUNTERS if one[0] == settings and one[2] is direction}
        assert settings.methods <= had


@pytest.mark.parametrize("direction", Direction)
def test_both_available_gives_sasl_over_tls(direction: Direction) -> None:
    assert outcome(Settings(O, O, True), MODERN, direction) is EXTERNAL


@pytest.mark.parametrize("direction", Direction)
def test_tls_without_sasl_gives_dialback_over_tls(direction: Direction) -> None:
    partner = replace(MODERN, external=False)

    assert outcome(Settings(O, O, True), partner, direction) is OVER_TLS
    assert outcome(Settings(R, O, True), partner, direction) is OVER_TLS


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("settings", [one for one in VALID if OVER_TCP in TABLE[one].methods], ids=str)
def test_the_recipe_for_google_talk_gives_dialback_over_tcp(settings: Settings, direction: Direction) -> None:
    assert outcome(settings, PLAIN, direction) is OVER_TCP


@pytest.mark.parametrize("settings", [one for one in VALID if not one.dialback], ids=str)
def test_with_dialback_off_a_request_is_ignored(settings: Settings) -> None:
    found = expected(settings, PLAIN, IN)

    assert found.outcome == Refusal(Point.DIALBACK, Means.SILENCE)
    assert found.right.because.startswith("Lync Server 2013")
    assert because(found, Refusal(Point.DIALBACK, Means.DIALBACK_ERROR, "not-authorized")).startswith("XEP-0220 §2.5")


def test_a_server_without_dialback_need_not_know_what_a_key_is() -> None:
    """RFC 6120 §4.9.3.24."""
    unknown = Refusal(Point.DIALBACK, Means.STREAM_ERROR, "unsupported-stanza-type")
    understanding = {settings for settings in VALID if not because(expected(settings, PLAIN, IN), unknown)}

    assert understanding == {settings for settings in VALID if settings.methods != {EXTERNAL}}


def test_dialback_does_not_operate_where_sasl_and_tls_are_required() -> None:
    for direction in Direction:
        found = [one[3] for one in ENCOUNTERS if one[0] == DEFAULTS and one[2] is direction]
        assert not [one for one in found if one.methods - {EXTERNAL}]


# -- RFC 6120


@pytest.mark.parametrize("external", [True, False])
@pytest.mark.parametrize("settings", [one for one in VALID if one.tls is N], ids=str)
def test_starttls_that_was_not_offered_fails(settings: Settings, external: bool) -> None:
    """§5.4.2.2: causes for the failure case include that the receiving entity did not offer the STARTTLS feature."""
    partner = replace(MODERN, external=external)

    assert outcome(settings, partner, IN) == Refusal(Point.STARTTLS, Means.STARTTLS_FAILURE)
    assert not expected(settings, partner, IN).alternatives


def test_tls_that_is_mandatory_to_negotiate_is_not_gone_without() -> None:
    """§5.3.1: the parties MUST consider TLS as mandatory-to-negotiate."""
    found = expected(Settings(N, N, True), MODERN, OUT)

    assert found.outcome == Refusal(Point.FEATURES)
    assert not found.methods


def test_external_is_offered_to_who_shows_an_acceptable_certificate() -> None:
    """§6.3.4: SHOULD offer EXTERNAL if the certificate is acceptable and matches 'from'."""
    assert expected(Settings(R, R, False), MODERN, IN) == Expectation(
        Allowed(EXTERNAL, "XEP-0178 §3: the certificate matches 'from', and EXTERNAL succeeds")
    )


def test_external_comes_before_dialback() -> None:
    """§6.3.4: the initiating entity SHOULD attempt SASL negotiation using the EXTERNAL mechanism first."""
    assert expected(Settings(O, O, True), MODERN, OUT) == Expectation(
        Allowed(EXTERNAL, "RFC 6120 §6.3.4: EXTERNAL comes first")
    )


@pytest.mark.parametrize("certificate", [*BAD, Certificate.NONE])
def test_weak_verification_stands_in_for_external_where_the_settings_allow_it(certificate: Certificate) -> None:
    """§6.4.5: MAY attempt to complete weak identity verification using the Server Dialback protocol."""
    assert outcome(Settings(R, O, True), replace(MODERN, certificate=certificate), IN) is OVER_TLS


@pytest.mark.parametrize("dialback", [True, False])
@pytest.mark.parametrize("certificate", [*BAD, Certificate.NONE])
@pytest.mark.parametrize("settings", [one for one in VALID if one.methods == {EXTERNAL}], ids=str)
def test_a_stream_without_hope_is_closed_with_policy_violation(
    settings: Settings, certificate: Certificate, dialback: bool
) -> None:
    """§6.4.5: where weak verification is insufficient SHOULD close the stream with a policy-violation stream error."""
    found = expected(settings, replace(MODERN, certificate=certificate, dialback=dialback), IN)

    assert found.outcome == Refusal(Point.SECURED_FEATURES, Means.STREAM_ERROR, "policy-violation")
    assert not found.methods


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("certificate", BAD)
def test_a_certificate_that_fails_may_end_the_session_whatever_the_settings(
    certificate: Certificate, direction: Direction
) -> None:
    """§13.7.2: if any of those validation attempts fail, MUST unilaterally terminate the session."""
    for settings in VALID:
        if settings.tls is not N:
            found = expected(settings, replace(MODERN, certificate=certificate), direction)
            assert Refusal(Point.TLS) in [one.outcome for one in allowed(found)]


@pytest.mark.parametrize("certificate", BAD)
def test_an_untrusted_server_is_left_at_once_only_where_its_certificate_is_all_that_counts(
    certificate: Certificate,
) -> None:
    """§13.7.2, and §6.4.5 where dialback would have done: without a mechanism left SHOULD simply close the stream."""
    partner = replace(MODERN, certificate=certificate, dialback=False)

    assert outcome(Settings(R, O, False), partner, OUT) == Refusal(Point.TLS)
    assert outcome(Settings(R, O, True), partner, OUT) == Refusal(Point.SECURED_FEATURES)


def test_a_good_certificate_never_ends_the_session() -> None:
    for _, partner, direction, found in ENCOUNTERS:
        if partner.certificate is Certificate.VALID:
            assert Refusal(Point.TLS) not in [one.outcome for one in allowed(found)], direction


@pytest.mark.parametrize("certificate", BAD)
def test_the_channel_is_protected_even_if_the_certificate_is_not_trusted(certificate: Certificate) -> None:
    """§13.14: SHOULD protect the channel using TLS before proceeding, even if certificates are otherwise untrusted."""
    partner = Abilities(tls=TLS.OPTIONAL, certificate=certificate, external=False)

    for direction in Direction:
        assert outcome(Settings(O, N, True), partner, direction) is OVER_TLS


def test_after_tls_has_failed_another_attempt_may_be_made_without() -> None:
    """§5.4.3.2: MAY attempt to reconnect with or without attempting TLS negotiation, in accordance with policy."""
    partner = Abilities(tls=TLS.OPTIONAL, certificate=Certificate.EXPIRED)

    assert OVER_TCP in expected(Settings(O, N, True), partner, OUT).methods
    assert OVER_TCP not in expected(Settings(R, N, True), partner, OUT).methods
    assert OVER_TCP not in expected(Settings(O, N, True), replace(partner, tls=TLS.REQUIRED), OUT).methods
    assert OVER_TCP not in expected(Settings(O, N, True), partner, IN).methods


@pytest.mark.parametrize("settings", VALID, ids=str)
def test_no_stanza_passes_before_the_stream_is_authenticated(settings: Settings) -> None:
    """§4.9.3.12: the entity has attempted to send XML stanzas before the stream has been authenticated."""
    found = outcome(settings, replace(PLAIN, dialback=False), IN)

    assert found == Refusal(Point.STANZA, Means.STREAM_ERROR, "not-authorized")


# -- XEP-0178, XEP-0220, XEP-0238, XEP-0344, RFC 7590


@pytest.mark.parametrize("certificate", BAD)
def test_an_unacceptable_certificate_may_end_the_connection_or_lead_to_dialback(certificate: Certificate) -> None:
    """XEP-0178 §3: MAY either close Server1's TCP connection or continue with a Server Dialback negotiation."""
    found = expected(Settings(O, O, True), replace(MODERN, certificate=certificate), IN)

    assert found.outcome is OVER_TLS
    assert because(found, Refusal(Point.SECURED_FEATURES)).startswith("XEP-0178 §3")


@pytest.mark.parametrize("certificate", [*BAD, Certificate.NONE])
def test_external_without_a_match_fails_with_not_authorized(certificate: Certificate) -> None:
    """XEP-0178 §3: else Server2 SHOULD return a not-authorized error."""
    failure = Refusal(Point.SASL, Means.SASL_FAILURE, "not-authorized")

    assert because(expected(Settings(R, R, True), replace(MODERN, certificate=certificate), IN), failure)
    assert not because(expected(Settings(R, N, True), replace(MODERN, certificate=certificate), IN), failure)


@pytest.mark.parametrize("settings", [one for one in VALID if one.tls is R and one.dialback], ids=str)
def test_a_key_where_tls_comes_first_violates_the_policy(settings: Settings) -> None:
    """XEP-0220 §2.5, policy-violation; XEP-0238 §4.4 has a stream error not-authorized."""
    found = expected(settings, PLAIN, IN)

    assert found.outcome == Refusal(Point.DIALBACK, Means.DIALBACK_ERROR, "policy-violation")
    section = "§4.6" if settings == DEFAULTS else "§4.4"
    assert because(found, Refusal(Point.DIALBACK, Means.STREAM_ERROR, "not-authorized")).startswith(
        f"XEP-0238 {section}"
    )


def test_a_key_in_place_of_a_certificate_is_not_authorized() -> None:
    """XEP-0220 §2.5: a policy requiring either a valid PKIX certificate or some other proof of authorization."""
    assert outcome(DEFAULTS, replace(MODERN, external=False), IN) == Refusal(
        Point.DIALBACK, Means.DIALBACK_ERROR, "not-authorized"
    )


@pytest.mark.parametrize("direction", Direction)
def test_dialback_runs_over_tls_where_there_is_tls(direction: Direction) -> None:
    """XEP-0344 §1: it is typically run over TLS where supported."""
    for settings, partner, way, found in ENCOUNTERS:
        if way is direction and partner.tls is not TLS.NONE and settings.tls is not N:
            assert found.outcome is not OVER_TCP


@pytest.mark.parametrize(
    "settings", [one for one in VALID if one.tls is not N and OVER_TCP not in one.methods], ids=str
)
def test_nobody_is_deterred_from_tls_that_is_not_offered(settings: Settings) -> None:
    """RFC 7590 §3.1: MUST NOT be deterred from attempting TLS negotiation; whether it is attempted is local policy."""
    found = expected(settings, PLAIN, OUT)

    assert found.outcome == Refusal(Point.STARTTLS)
    assert [one.outcome for one in found.alternatives] == [Refusal(Point.FEATURES)]


@pytest.mark.parametrize("certificate", BAD)
def test_a_server_need_not_be_known_where_dialback_would_do(certificate: Certificate) -> None:
    """RFC 7590 §3.4: servers SHOULD authenticate other servers."""
    partner = replace(MODERN, certificate=certificate)

    assert EXTERNAL in expected(Settings(O, O, True), partner, OUT).methods
    assert EXTERNAL not in expected(Settings(O, O, False), partner, OUT).methods
    assert EXTERNAL not in expected(Settings(R, R, True), partner, OUT).methods
    assert EXTERNAL not in expected(Settings(O, O, True), partner, IN).methods


def test_trusted_federation_takes_no_connection_without_a_certificate() -> None:
    """XEP-0238 §1."""
    nobody = replace(MODERN, certificate=Certificate.NONE)

    assert because(expected(Settings(R, R, False), nobody, IN), Refusal(Point.TLS)).startswith("XEP-0238 §1")
    assert not because(expected(Settings(R, O, True), nobody, IN), Refusal(Point.TLS))
