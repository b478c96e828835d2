from __future__ import annotations

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatewise.data.files.text_files import read_lines, read_text, stream_text
from gatewise.errors import InputError

ANYTHING = "one\r\ntwo\n\nthree \U0001f469\u200d\U0001f467 e\u0301 \x00 \r end"


def test_a_byte_order_mark_and_carriage_returns_go_and_the_rest_stays(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + ANYTHING.encode())
    assert read_text(path) == ANYTHING.replace("\r\n", "\n")
    assert read_lines(path) == [
        "one",
        "two",
        "",
        "three \U0001f469\u200d\U0001f467 e\u0301 \x00 \r end",
    ]


def test_gzip_is_found_by_its_bytes_not_its_name(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(ANYTHING.encode()))
    assert read_text(path) == ANYTHING.replace("\r\n", "\n")


def test_an_empty_file_is_an_empty_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"")
    assert read_text(path) == ""
    assert read_lines(path) == []


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(text=st.text(st.characters(codec="utf-8")), size=st.integers(1, 7))
def test_pieces_of_any_size_are_the_same_text(tmp_path, text, size):
    path = tmp_path / "a.txt"
    path.write_bytes(("\ufeff" + text).encode() if size >= 3 else text.encode())
    if size < 3 and text.startswith("\ufeff"):
        return
    assert "".join(stream_text(path, size)) == text.replace("\r\n", "\n")
    assert read_lines(path) == text.replace("\r\n", "\n").removesuffix("\n").split("\n") or not text


@pytest.mark.parametrize("size", [1, 2, 5, 1 << 20])
@pytest.mark.parametrize("before", ["", "ab\u20ac", "\ufeffabc"])
def test_a_byte_that_is_no_utf8_is_named_by_its_offset(tmp_path, size, before):
    path = tmp_path / "a.txt"
    path.write_bytes(before.encode() + b"\xff rest")
    with pytest.raises(InputError, match=f"byte 0xff at offset {len(before.encode())} "):
        list(stream_text(path, size))


def test_a_character_cut_off_at_the_end_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"ab\xe2\x82")
    with pytest.raises(InputError, match="byte 0xe2 at offset 2 "):
        read_text(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("b.txt", None, "there is no file"),
        ("b.txt.gz", b"no gzip", "not a whole gzip file"),
        ("b.txt.gz", gzip.compress(b"some text" * 99)[:-9], "not a whole gzip file"),
        ("b.txt", "text".encode("utf-16"), "UTF-16; save it as UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_text(tmp_path / name)


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(InputError, match="is a folder; name a file in it"):
        read_text(tmp_path)
