"""A scenario file is read as it is meant, or refused at the exact place with a hint."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from simulator.document import DocumentError, parse_document
from simulator.scenario.loader import KEYS, load, read_scenarios
from simulator.scenario.model import Scenario
from simulator.scenario.steps import VERBS

KNOWN = {"DBK-032", "DBK-033", "STR-001"}

WRONG_KEY = """\
claim: A dialback key that the partner's own server denies is refused
covers: [DBK-032, DBK-033]
settings:
  gmail.com: {tls: not-supported, sasl: not-supported, dialback: true, keepalive: false}
partners:
  gmail.com: {profile: google-talk, quirks: [denies-every-key]}
given:
  - the system starts
steps:
  - gmail.com connects
  - gmail.com offers a dialback key
  - gmail.com receives: <db:result from='contoso.com' to='gmail.com' type='invalid'/>
    level: should
    within: 0.5
    or: [{is disconnected: not-authorized, because: XEP-0220 §2.2.1}]
    may also receive: [<presence/>, {ends: reset}]
    covers: [DBK-033]
  - gmail.com is disconnected
  - alice@contoso.com has received nothing
"""


def read(text: str, known: set[str] | None = None) -> list[Scenario]:
    return read_scenarios(parse_document(text, "file.yaml"), "folder/file", known or KNOWN)


def refused(text: str) -> tuple[int, int, str, str]:
    with pytest.raises(DocumentError) as caught:
        read(text)

    return caught.value.line, caught.value.column, caught.value.message, caught.value.hint


def test_the_scenario_of_the_design_is_read() -> None:
    (scenario,) = read(WRONG_KEY)
    receives = scenario.steps[2]

    assert scenario.id == "folder/file"
    assert scenario.partners["gmail.com"].quirks == ("denies-every-key",)
    assert [step.verb for step in scenario.all_steps][:2] == ["starts", "connects"]
    assert (receives.actor, receives.verb, receives.line) == ("gmail.com", "receives", 12)
    assert (receives.level, receives.within, receives.covers) == ("should", 0.5, ("DBK-033",))
    assert receives.alternatives[0].verb == "is disconnected"
    assert receives.may_also == ("<presence/>", {"ends": "reset"})
    assert receives.text == "gmail.com receives: <db:result from='contoso.com' to='gmail.com' type='invalid'/>"


def test_a_scenario_survives_pickling() -> None:
    (scenario,) = read(WRONG_KEY)

    assert pickle.loads(pickle.dumps(scenario)) == scenario


def test_the_usual_cast_exists_unasked() -> None:
    (scenario,) = read("claim: x\nsteps: [gmail.com connects]\n")

    assert list(scenario.users) == ["alice@contoso.com", "bob@contoso.com", "juliet@gmail.com", "romeo@gmail.com"]
    assert scenario.partners["gmail.com"].profile == "google-talk"


def test_what_a_verb_needs_the_scenario_needs() -> None:
    (scenario,) = read("claim: x\nneeds: [sip]\nsteps: [the system refuses its settings]\n")

    assert scenario.needs == {"sip", "configuration-errors"}


def test_a_label_belongs_to_its_stream() -> None:
    (scenario,) = read("claim: x\nsteps:\n- gmail.com connects as two\n- gmail.com on two stays connected\n")

    assert [step.label for step in scenario.steps] == ["two", "two"]


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_the_example_of_each_verb_loads(verb: object) -> None:
    example = verb.example  # type: ignore[attr-defined]
    partners = "partners: {gmail.com: {}, evil.example: {}}\n"
    (scenario,) = read(
        f"claim: x\n{partners}steps:\n- gmail.com connects as second\n- the system starts\n- {example}\n",
    )

    assert VERBS[scenario.steps[-1].verb] is verb


def test_there_are_fewer_than_eighty_verbs() -> None:
    assert len(VERBS) < 80


BROKEN = {
    "no mapping": ("- a\n", 1, 1, "a scenario is a mapping", "claim"),
    "unknown key": ("claim: x\nstepps: []\n", 2, 1, "no key 'stepps'", "steps"),
    "no steps": ("claim: x\n", 1, 1, "the key 'steps' is missing", ""),
    "unknown requirement": ("claim: x\ncovers: [STR-001, DBK-032x]\nsteps: [a]\n", 2, 19, "DBK-032x", "DBK-032"),
    "unknown partner key": (
        "claim: x\npartners:\n  gmail.com:\n    quirk: [a]\nsteps: [a]\n", 4, 5, "no key 'quirk'", "quirks"
    ),
    "quirks of another type": ("claim: x\npartners: {gmail.com: {quirks: a}}\nsteps: [a]\n", 2, 24, "list", ""),
    "settings for nobody": (
        "claim: x\nsettings:\n  gatway: {}\nsteps: [a]\n", 3, 3, "settings are for 'gatway'", "gateway"
    ),
    "homeless user": ("claim: x\nusers: [eve@evil.example]\nsteps: [a]\n", 2, 9, "lives nowhere", "contoso.com"),
    "no step": ("claim: x\nsteps:\n- [1]\n", 3, 3, "a step is a sentence", "gmail.com connects"),
    "no sentence": ("claim: x\nsteps:\n- {level: must}\n", 3, 3, "no sentence", "gmail.com connects"),
    "two sentences": (
        "claim: x\nsteps:\n- gmail.com connects:\n  levl: may\n", 4, 3, "no key 'levl'", "level"
    ),
    "nobody": ("claim: x\nsteps:\n- gmial.com connects\n", 3, 3, "gmial.com is nobody", "gmail.com"),
    "unknown verb": (
        "claim: x\nsteps:\n- gmail.com is disconected\n", 3, 3, "unknown step: 'is disconected'", "is disconnected"
    ),
    "argument without colon": (
        "claim: x\nsteps:\n- gmail.com receives <a/>\n", 3, 3, "unknown step", "alone: receives: <a/>"
    ),
    "step in quotes": (
        "claim: x\nsteps:\n- 'gmail.com receives: <a/>'\n", 3, 3, "unknown step", "alone: receives: <a/>"
    ),
    "verb of another actor": (
        "claim: x\nsteps:\n- alice@contoso.com connects\n", 3, 3, "'connects' is for partner", "signs in"
    ),
    "label that opens nothing": ("claim: x\nsteps:\n- DNS is asked as x: a\n", 3, 3, "opens no stream", ""),
    "label without stream": (
        "claim: x\nsteps:\n- gmail.com on x is not contacted\n", 3, 3, "is about no stream", ""
    ),
    "unopened label": (
        "claim: x\nsteps:\n- gmail.com connects as one\n- gmail.com on two stays connected\n",
        4, 3, "has opened no stream as 'two'", "gmail.com has: one",
    ),
    "superfluous argument": (
        "claim: x\nsteps:\n- gmail.com stays connected: long\n", 3, 3, "takes no argument", "gmail.com stays connected"
    ),
    "missing argument": ("claim: x\nsteps:\n- gmail.com receives\n", 3, 3, "needs an argument", "db:result"),
    "unknown argument key": (
        "claim: x\nsteps:\n- alice@contoso.com sends a message: {too: a}\n", 3, 39, "knows no 'too'", "to"
    ),
    "unknown condition": (
        "claim: x\nsteps:\n- gmail.com is disconnected: host-unknwon\n", 3, 3, "'host-unknwon'", "host-unknown"
    ),
    "XML on the line": ("claim: x\nsteps:\n- gmail.com receives: <a><b></a>\n", 3, 31, "not XML: mismatched tag", ""),
    "XML in a block": (
        "claim: x\nsteps:\n- gmail.com receives: |\n    <a>\n      <b></c>\n    </a>\n", 5, 8, "not XML", ""
    ),
    "two elements": ("claim: x\nsteps:\n- gmail.com sends: <a/><b/>\n", 3, 3, "exactly one element", ""),
    "level": ("claim: x\nsteps:\n- gmail.com connects:\n  level: shall\n", 4, 3, "'shall'", "must, should, may"),
    "within": ("claim: x\nsteps:\n- gmail.com connects:\n  within: -1\n", 4, 3, "positive number", ""),
    "alternative without reason": (
        "claim: x\nsteps:\n- gmail.com receives: <a/>\n  or: [{expect: <b/>}]\n", 4, 8, "what else is right and why",
        "because",
    ),
    "alternative that is no XML": (
        "claim: x\nsteps:\n- gmail.com receives: <a/>\n  or: [{expect: <b, because: x}]\n", 4, 19, "not XML", ""
    ),
    "pattern that is no XML": (
        "claim: x\nsteps:\n- gmail.com receives: <a/>\n  may also receive: [<b]\n", 4, 24, "not XML", ""
    ),
    "ambiguous acknowledgement": (
        "claim: x\nsteps:\n- alice@contoso.com sends a message: {to: juliet@gmail.com, id: one}\n"
        "- alice@contoso.com sends a message: {to: juliet@gmail.com, id: two}\n- alice@contoso.com is accepted\n",
        5, 3, "alice@contoso.com has sent 2 messages", "is accepted: {id: ...}",
    ),
    "judges nothing": (
        "claim: x\nsteps:\n- gmail.com sends: <a/>\n", 2, 1, "judges nothing", "received"
    ),
    "nothing uses the value": (
        "claim: x\nmatrix:\n  a: [1]\n  b: [2]\nsteps:\n- gmail.com is disconnected: '${a}'\n",
        4, 3, "nothing uses the matrix value 'b'", "${b}",
    ),
    "value that is not there": (
        "claim: x\nmatrix: {kind: [1]}\nsteps:\n- gmail.com receives: <a x='${kin}'/>\n", 4, 3, "${kin}", "${kind}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_reported_at_its_place(case: tuple[str, int, int, str, str]) -> None:
    text, line, column, message, hint = case
    found = refused(text)

    assert found[:2] == (line, column), found
    assert message in found[2]
    assert hint in found[3]


def test_every_key_is_explained() -> None:
    assert all(KEYS.values())


def test_ids_are_relative_to_the_requirements(tmp_path: Path) -> None:
    (tmp_path / "requirements.yaml").write_text(
        "STR:\n  STR-001: {direction: I, level: MUST, source: RFC 6120 §4, sentence: s}\n"
    )
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "google-talk.yaml").write_text("not: a scenario\n")
    (tmp_path / "streams").mkdir()
    file = tmp_path / "streams" / "opens.yaml"
    file.write_text("claim: x\ncovers: [STR-001]\nsteps: [gmail.com connects]\n")

    assert [scenario.id for scenario in load(tmp_path)] == ["streams/opens"]
    assert [scenario.id for scenario in load(file)] == ["streams/opens"]

    file.write_text("claim: x\ncovers: [STR-002]\nsteps: [gmail.com connects]\n")

    with pytest.raises(DocumentError, match=r"opens.yaml:2:10: requirements.yaml has no requirement STR-002"):
        load(tmp_path)


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="there is no scenario here"):
        load(tmp_path)


def test_a_step_without_its_colon_gets_a_hint(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("claim: x\nsteps:\n- gmail.com connects\n  level: may\n")

    with pytest.raises(DocumentError, match="ends with a colon itself"):
        load(tmp_path)
