"""Lines of CSV and JSON as they come."""

import threading
import time

import pytest

from gatewise.cli.lines import Lines, decoded, followed
from gatewise.errors import InputError


def test_a_header_names_the_cells_that_follow():
    lines = Lines()
    assert lines.read("time,flow,name\n") is None
    assert lines.read("2024-01-01,1.5,pump\n") == {
        "time": "2024-01-01",
        "flow": 1.5,
        "name": "pump",
    }
    assert lines.read("2024-01-02,,\n") == {"time": "2024-01-02", "flow": None, "name": None}
    assert lines.read("\n") is None


def test_decimal_commas_between_semicolons():
    lines = Lines()
    lines.read("time;flow")
    assert lines.read("2024-01-01;1,5") == {"time": "2024-01-01", "flow": 1.5}


def test_lines_of_json():
    lines = Lines()
    assert lines.read('{"flow": 1, "pressure": null}') == {"flow": 1, "pressure": None}
    assert lines.read("[1, 2.5]") == [1, 2.5]


def test_without_a_header_the_channels_are_taken_in_their_order():
    assert Lines([["a", "b"]]).read("1,2") == {"a": 1.0, "b": 2.0}
    timed = Lines([["a", "b"], ["time", "a", "b"]])
    assert timed.read("2024-01-01,1,2") == {"time": "2024-01-01", "a": 1.0, "b": 2.0}


@pytest.mark.parametrize(
    ("first", "line", "sentence"),
    [
        ("a,b", "1,2,3", "3 cells under 2 column names"),
        ('{"a": 1}', "{'a': 1}", "no JSON"),
        ('{"a": 1}', "7", "neither an object nor a list"),
    ],
)
def test_what_cannot_be_read_is_said(first, line, sentence):
    lines = Lines()
    lines.read(first)
    with pytest.raises(InputError, match=sentence):
        lines.read(line)


def test_values_without_names_are_refused():
    with pytest.raises(InputError, match="begin with a row of names"):
        Lines([["a", "b"]]).read("1,2,3")


def test_what_is_no_utf8_is_numbered():
    (first, text), (second, wrong) = decoded([b"a\n", b"\xff\n"])
    assert (first, text, second) == (1, "a\n", 2)
    assert isinstance(wrong, InputError)


def test_a_file_is_followed_past_its_end_and_from_its_start_when_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("gatewise.cli.lines.WAIT", 0.01)
    path = tmp_path / "a.csv"
    path.write_text("a\nb")

    def write():
        time.sleep(0.05)
        with path.open("a") as file:
            file.write("c\n")
        time.sleep(0.1)
        path.write_text("d\n")

    writer = threading.Thread(target=write)
    writer.start()
    lines = followed(path)
    assert [next(lines) for _ in range(3)] == [b"a\n", b"bc\n", b"d\n"]
    writer.join()
