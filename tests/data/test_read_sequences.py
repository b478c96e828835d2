"""Whatever a person has becomes the same sequences."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas
import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewise.data.sequences.columns_spec import SequenceColumns
from gatewise.data.sequences.reading import answer, read_sequences
from gatewise.data.sequences.sequences import Sequences
from gatewise.errors import InputError

LONG = {
    "series": ["b", "a", "b", "a", "b"],
    "time": [2, 0, 1, 3, 7],
    "x": [20.0, 1.0, 10.0, 3.0, None],
    "z": [0.2, 0.1, 0.1, 0.3, 0.7],
    "label": ["down", "up", "down", "up", "down"],
}


def check_long(read: Sequences) -> None:
    assert read.names == ("b", "a")
    assert read.channels == ("x", "z")
    assert read.values is not None
    np.testing.assert_allclose(read.values[0][:, 0], [10, 20, np.nan])
    np.testing.assert_allclose(read.values[1], [[1, 0.1], [3, 0.3]], rtol=1e-6)
    assert read.labels is not None
    assert read.labels.tolist() == ["down", "up"]
    assert read.gaps is not None
    assert read.gaps[0].tolist() == [0, 1, 5]
    assert read.is_irregular


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table])
def test_a_long_frame_is_sorted_by_time_within_each_series(make):
    check_long(read_sequences(make(LONG)))


@pytest.mark.parametrize("name", ["long.csv", "long.tsv", "long.parquet"])
def test_a_long_file_is_the_same_as_the_frame(tmp_path, name):
    frame = pandas.DataFrame(LONG)
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    check_long(read_sequences(path))


def test_stamps_give_gaps_in_seconds():
    frame = pandas.DataFrame({
        "series": ["a", "a", "a"],
        "time": pandas.to_datetime(["2024-01-01 00:00", "2024-01-01 00:01", "2024-01-01 01:01"]),
        "x": [1, 2, 3],
    })  # fmt: skip
    read = read_sequences(frame)
    assert read.gaps is not None
    assert read.gaps[0].tolist() == [0, 60, 3600]
    assert read.labels is None
    assert read.usual_gap == 1830


def test_equal_gaps_are_regular():
    read = read_sequences(
        pandas.DataFrame({"series": [1] * 4, "time": [0, 5, 10, 15], "x": [1] * 4})
    )
    assert not read.is_irregular


def test_columns_of_other_names_are_named():
    frame = pandas.DataFrame(
        {"utterance": [0, 0, 1], "f0": [1.0, 2.0, 3.0], "who": [7, 7, 8], "n": 0}
    )
    columns = SequenceColumns(series="utterance", label="who", channels=("f0",))
    read = read_sequences(frame, columns=columns)
    assert read.channels == ("f0",)
    assert read.labels is not None
    assert read.labels.tolist() == [7, 8]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(1, 3))
def test_a_padded_array_is_the_list_of_its_parts(lengths, channels):
    parts = [np.arange(n * channels, dtype=np.float32).reshape(n, channels) for n in lengths]
    padded = np.full((len(parts), max(lengths), channels), np.nan, np.float32)
    for row, part in zip(padded, parts, strict=True):
        row[: len(part)] = part
    read, listed = read_sequences(padded), read_sequences(parts)
    assert read.lengths.tolist() == lengths
    assert read.channels == listed.channels
    for one, other in zip(read.values or (), listed.values or (), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_array_of_two_axes_has_one_channel():
    read = read_sequences(np.ones((3, 5)))
    assert read.lengths.tolist() == [5, 5, 5]
    assert read.channels == ("value",)


@pytest.mark.parametrize(
    "make", [list, np.array, lambda t: pandas.Series(t), lambda t: polars.Series("text", t)]
)
def test_texts_come_in_any_column(make):
    read = read_sequences(make(["one two", "three"]), [1, 0])
    assert read.texts == ("one two", "three")
    assert read.labels is not None
    assert read.labels.tolist() == [1, 0]


def test_a_table_of_texts_needs_no_flags(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,label,stars\n"well, yes",good,5\nno,bad,1\n')
    read = read_sequences(path)
    assert read.texts == ("well, yes", "no")
    assert read.labels is not None
    assert read.labels.tolist() == ["good", "bad"]


def test_lines_begin_with_their_label(tmp_path):
    path = tmp_path / "train.all"
    path.write_text("0 How far is it ?\n1 Who said so ?\n\n0 How come ?\n1 Who else\n")
    read = read_sequences(path)
    assert read.texts is not None
    assert read.texts[1] == "Who said so ?"
    assert read.labels is not None
    assert read.labels.tolist() == ["0", "1", "0", "1"]
    assert read.names == (1, 2, 4, 5)
    path.write_text("Who else\nHow come\n")
    assert read_sequences(path, known={"0", "1"}).labels is None


def test_lines_with_a_letter_of_latin_1_are_read_and_it_is_said(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"1 caf\xe9 noir\n0 tea\n1 more\n0 less\n")
    read = read_sequences(path)
    assert read.texts is not None
    assert read.texts[0] == "café noir"
    assert "Latin-1" in read.notes[0]
    path.write_bytes(b"1 good\n0 \xff\xfe bad\n")
    with pytest.raises(InputError, match=r"not UTF-8: byte 0xff at offset 9"):
        read_sequences(path)


def test_ts_files_have_uneven_dimensions_and_missing_values(tmp_path):
    path = tmp_path / "a.ts"
    path.write_text(
        "# a comment\n@problemName a\n@timeStamps false\n@missing true\n@dimensions 2\n"
        "@classLabel true yes no\n@data\n1,2,3:4,?,6:yes\n7,8:9,10:no\n"
    )
    read = read_sequences(path)
    assert read.lengths.tolist() == [3, 2]
    assert read.values is not None
    np.testing.assert_array_equal(read.values[0], [[1, 4], [2, np.nan], [3, 6]])
    assert read.labels is not None
    assert read.labels.tolist() == ["yes", "no"]


def test_ts_files_with_targets_are_for_regression(tmp_path):
    path = tmp_path / "a.ts"
    path.write_text("@targetLabel true\n@data\n1,2:0.5\n3:1.5\n")
    read = read_sequences(path)
    assert read.labels is not None
    assert read.labels.tolist() == [0.5, 1.5]


def test_fasta_has_labels_in_its_headers_or_beside_it(tmp_path):
    path = tmp_path / "a.fasta.gz"
    path.write_bytes(gzip.compress(b">p1|yes a comment\nMK\nV*\n>p2|no\nacd\n"))
    read = read_sequences(path)
    assert (read.names, read.texts) == (("p1", "p2"), ("MKV", "ACD"))
    assert read.labels is not None
    assert read.labels.tolist() == ["yes", "no"]
    plain = tmp_path / "b.fa"
    plain.write_text(">p1\nMKV\n>p2\nACD\n")
    table = tmp_path / "labels.csv"
    table.write_text("name,label\np2,no\np1,yes\n")
    read = read_sequences(plain, table)
    assert read.labels is not None
    assert read.labels.tolist() == ["yes", "no"]


def test_answers_come_in_the_form_of_the_question(tmp_path):
    told = {"label": np.array(["u", "v"])}
    assert answer(read_sequences(np.ones((2, 3))), told).tolist() == ["u", "v"]
    frame = answer(read_sequences(pandas.DataFrame(LONG)), told)
    assert frame["series"].tolist() == ["b", "a"]
    assert answer(read_sequences(polars.DataFrame(LONG)), told)["label"].to_list() == ["u", "v"]
    path = tmp_path / "a.csv"
    path.write_text("text\none\ntwo\n")
    table = answer(read_sequences(path), told)
    assert {k: list(v) for k, v in table.items()} == {"text": ["one", "two"], "label": ["u", "v"]}


def test_the_same_sequences_have_the_same_digest():
    values = [np.array([1.0, 2.0]), np.array([3.0])]
    one, other = read_sequences(values, ["a", "b"]), read_sequences(values, np.array(["a", "b"]))
    assert one.digest() == other.digest()
    assert one.digest() != read_sequences(values, ["a", "c"]).digest()


WRONG = {
    "none": ([], "no sequence"),
    "one text": ("nothing", None),
    "numbers": ([1.0, 2.0], "no list of sequences"),
    "infinite": ([[1.0, np.inf]], "sequence 0, channel 'value', step 1: the value is infinite"),
    "channels": ([np.ones((2, 2)), np.ones((2, 3))], "sequence 1 has 3 channels and sequence 0"),
    "mixed": (["a", [1.0]], "sequence 1 is no text"),
    "words": ([["a", "b"]], "does not hold numbers only"),
    "flat frame": (pandas.DataFrame({"x": [1.0]}), "holds numbers"),
    "no series": (pandas.DataFrame({"x": [1.0], "y": [2.0]}), "neither a column of texts nor one"),
    "twice": (
        pandas.DataFrame({"series": [1, 1], "time": [3, 3], "x": [1, 2]}),
        r"same time twice \(rows 1 and 2\)",
    ),
    "changing": (
        pandas.DataFrame({"series": [1, 1], "label": ["a", "b"], "x": [1, 2]}),
        r"'label' changes within series 1 \(row 2\)",
    ),
    "no channel": (pandas.DataFrame({"series": [1], "label": ["a"]}), "no numeric column"),
    "no name": (
        pandas.DataFrame({"series": ["a", None], "x": [1, 2]}),
        "row 2: the cell in series",
    ),
    "no text": (pandas.DataFrame({"text": ["a", " "], "label": [1, 2]}), "row 2: the cell in text"),
}


@pytest.mark.parametrize(("source", "said"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_named(source, said):
    with pytest.raises(InputError, match=said or "no file"):
        read_sequences(source)


def test_wrong_files_are_named(tmp_path):
    def wrong(name: str, text: str, said: str) -> None:
        path = Path(tmp_path, name)
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            read_sequences(path)

    wrong("a.ts", "1,2,3\n", "no line @data")
    wrong("b.ts", "@timeStamps true\n@data\n(0,1):a\n", "has stamps")
    wrong("c.ts", "@classLabel true a b\n@data\n1,2:c\n", "line 3: class 'c' is not announced")
    wrong("d.ts", "@classLabel true a b\n@data\n1,two:a\n", "line 3: could not convert")
    wrong("e.ts", "@classLabel true a b\n@data\n1:2:a\n1:b\n", "line 4: 1 dimensions")
    wrong("a.fasta", "MKV\n", "line 1: letters before the first header")
    wrong("b.fasta", ">a\n>b\nMK\n", "sequence 'a' has no letters")
    wrong("a.lines", "\n", "has no text")


def test_labels_are_one_for_each():
    with pytest.raises(InputError, match="shape"):
        read_sequences([[1.0], [2.0]], [1])
    with pytest.raises(InputError, match="no label for sequence 1"):
        read_sequences([[1.0], [2.0]], {0: "a"})
