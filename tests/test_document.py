"""YAML is read with the place of every part, and errors name it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml

from simulator.document import DocumentError, parse_document, read_document

TEXT = """\
# a comment
domains: [contoso.com, fabrikam.com]
partners:
  - identity: gmail.com
    tls: NotSupported
    limit: 20
  - identity: jabber.org
    keep-alive: yes
text: |
  <a>
  </a>
nothing:
"""


class Partner(msgspec.Struct, kw_only=True):
    identity: str
    limit: int = 0


class Settings(msgspec.Struct, kw_only=True):
    partners: list[Partner]
    by_name: dict[str, int] = {}


def test_values_are_those_of_yaml() -> None:
    data = parse_document(TEXT).data

    assert data["domains"] == ["contoso.com", "fabrikam.com"]
    assert data["partners"][0] == {"identity": "gmail.com", "tls": "NotSupported", "limit": 20}
    assert data["partners"][1]["keep-alive"] is True
    assert data["text"] == "<a>\n</a>\n"
    assert data["nothing"] is None


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ((), (2, 1)),
        (("domains",), (2, 1)),
        (("domains", 1), (2, 24)),
        (("partners", 1, "identity"), (7, 5)),
        (("partners", 1), (7, 5)),
        (("text",), (9, 1)),
        # What is not there is reported where it would have to be.
        (("partners", 0, "proxy"), (4, 5)),
        (("elsewhere", 3), (2, 1)),
    ],
)
def test_each_part_knows_its_place(path: tuple[str | int, ...], position: tuple[int, int]) -> None:
    error = parse_document(TEXT, "file.yaml").error(path, "is wrong", "try harder")

    assert (error.line, error.column) == position
    assert str(error) == f"file.yaml:{position[0]}:{position[1]}: is wrong\n  try harder"


#: Few bytes that aliases make into many parts.
LAUGHS = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))],
)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\na: 2\n", 2, 1, "the key 'a' stands here twice"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, 3, "the key 'b' stands here twice"),
        ("a: [1\n", 2, 1, "not YAML"),
        ("a: b: c\n", 1, 5, "mapping values are not allowed here"),
        ("a: 1\n\tb: 2\n", 2, 1, "not YAML"),
        ("? [a]\n: 1\n", 1, 3, "a key must be plain text"),
        ("a: &x 1\nb: !!python/name:os.system x\n", 2, 4, "not a value"),
        ("a: 2001-99-99\n", 1, 4, "not a value"),
        ("--- a\n--- b\n", 2, 1, "not YAML"),
        ("a: \x00\n", 1, 1, "not YAML"),
        ("a: " + "[" * 200_000, 1, 1, "deeper than 100"),
        ("a: " + "[" * 110 + "]" * 110, 1, 104, "deeper than 100"),
        ("- " * 200_000, 1, 1, "deeper than 100"),
        ("a: &a [*a]\n", 1, 4, "deeper than 100"),
        (LAUGHS, 1, 10, "more than 100000 parts"),
    ],
)
def test_what_is_no_yaml_is_reported_at_its_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(text)

    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert message in caught.value.message


@pytest.mark.parametrize("text", ["a: " + "[" * 200_000, "- " * 200_000, "a: " + "[" * 110 + "]" * 110])
def test_nesting_is_limited_without_libyaml(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # As where PyYAML was built without it, and as where libyaml gives up before it has told of any level.
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)

    with pytest.raises(DocumentError, match="deeper than 100"):
        parse_document(text)


def test_an_empty_document_is_nothing() -> None:
    assert parse_document("# only a comment\n").data is None


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("partners:\n- identity: a\n- identity: 3\n", 3, 3, "expected text, got a whole number"),
        ("partners:\n- identity: a\n  limit: many\n", 3, 3, "expected a whole number, got text"),
        ("partners:\n- limit: 1\n", 2, 3, "the key 'identity' is missing"),
        ("partners: []\nby_name:\n  x: 1\n  y: z\n", 2, 1, "expected a whole number, got text"),
        ("domains: []\n", 1, 1, "the key 'partners' is missing"),
    ],
)
def test_wrong_types_are_reported_at_their_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(text).convert(Settings)

    assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
    assert message in caught.value.message


def test_a_part_can_be_converted_alone() -> None:
    document = parse_document(TEXT)

    assert document.convert(Partner, ("partners", 1)) == Partner(identity="jabber.org")

    with pytest.raises(DocumentError, match=r"<text>:2:11: expected a whole number, got text"):
        document.convert(list[int], ("domains",))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"none.yaml:1:1: cannot be read: No such file"):
        read_document(tmp_path / "none.yaml")

    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")

    with pytest.raises(DocumentError, match=r"latin.yaml:1:1: is not UTF-8: .* at byte 3"):
        read_document(tmp_path / "latin.yaml")
