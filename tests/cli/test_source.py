"""Bytes to text and back: encodings, byte-order marks and newlines survive."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ortwrap.source import SourceError, decode

CODED = "# -*- coding: {} -*-\nname = 'Gr\u00fc\u00dfe'\n"


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        pytest.param(b"", "utf-8", "", id="empty"),
        pytest.param(b"x = 1", "utf-8", "x = 1", id="no newline at the end"),
        pytest.param(b"x = 1\r\ny = 2\r\n", "utf-8", "x = 1\r\ny = 2\r\n", id="CRLF"),
        pytest.param(b"x = 1\ry = 2\r", "utf-8", "x = 1\ry = 2\r", id="old Mac newlines"),
        pytest.param(b"x\r\ny\nz\r", "utf-8", "x\r\ny\nz\r", id="mixed newlines"),
        pytest.param(b"x\n\x0c\ny\n", "utf-8", "x\n\x0c\ny\n", id="form feed"),
        pytest.param(codecs.BOM_UTF8 + b"x = 1\n", "utf-8-sig", "x = 1\n", id="BOM"),
        pytest.param(
            CODED.format("latin-1").encode("latin-1"),
            "iso-8859-1",
            CODED.format("latin-1"),
            id="Latin-1 with a coding line",
        ),
        pytest.param(
            ("#!/usr/bin/env python\n" + CODED.format("cp1252")).encode("cp1252"),
            "cp1252",
            "#!/usr/bin/env python\n" + CODED.format("cp1252"),
            id="coding line below a shebang",
        ),
        pytest.param(
            CODED.format("utf-8").encode(), "utf-8", CODED.format("utf-8"), id="UTF-8 declared"
        ),
    ],
)
def test_text_comes_back_as_the_same_bytes(data: bytes, encoding: str, text: str) -> None:
    source = decode(data, "a.py")
    assert (source.encoding, source.text) == (encoding, text)
    assert source.encode(source.text) == data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"\x7fELF\0\0", "a.py: a binary file", id="binary"),
        pytest.param(b"x = 1\ny = '\xfc'\n", "a.py:2:6: byte 0xfc is not utf-8", id="line 2"),
        pytest.param(b"x\n" * 5 + b"'\xfc'\n", "a.py:6:2: byte 0xfc is not utf-8", id="line 6"),
        pytest.param(
            codecs.BOM_UTF8 + b"x\n" * 5 + b"'\xfc'\n", "a.py:6:2: byte 0xfc", id="after a BOM"
        ),
        pytest.param(b"# coding: klingon\n", "a.py:1: unknown encoding", id="unknown encoding"),
        pytest.param(b"# coding: rot13\n", "a.py:1: ", id="no text encoding"),
        pytest.param(b"# coding: utf-16\nx\n", "a.py:", id="an encoding its own line is not in"),
        pytest.param(
            b"# coding: unicode_escape\nx = '\\x41'\n",
            "would not be written back byte for byte",
            id="lossy codec",
        ),
        pytest.param(
            codecs.BOM_UTF8 + b"# coding: latin-1\n", "a.py:1: ", id="BOM against coding line"
        ),
    ],
)
def test_what_is_no_python_text_is_one_clear_error(data: bytes, message: str) -> None:
    with pytest.raises(SourceError) as error:
        decode(data, "a.py")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_character_the_encoding_lacks_is_an_error_and_not_a_question_mark() -> None:
    source = decode(b"# coding: latin-1\n", "a.py")
    with pytest.raises(SourceError, match=r"U\+20AC.* line 2, which iso-8859-1"):
        source.encode("# coding: latin-1\nprice = '\u20ac'\n")


@given(st.binary(max_size=200))
def test_any_bytes_come_back_or_are_an_error(data: bytes) -> None:
    try:
        source = decode(data, "a.py")
    except SourceError:
        return
    assert source.encode(source.text) == data
