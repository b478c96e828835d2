"""Pairs of texts: how they are read, what is left out, what is held out, and the way back."""

import gzip
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gatewise.data.pairs.lines import PairLines, answer, read_pairs, read_sources
from gatewise.data.pairs.pairs import Pairs
from gatewise.data.pairs.sentences import Sentences
from gatewise.data.text.tokens_spec import Tokens
from gatewise.data.text.vocabulary import END, PAD, START, UNKNOWN
from gatewise.errors import InputError

PAIRS = [(f"wort{i} wort{i + 1}", f"word{i} word{i + 1}") for i in range(40)]


def split(pairs):
    return [s for s, _ in pairs], [t for _, t in pairs]


def found(tokens, time=3):
    return SimpleNamespace(tokens=tokens, weights=torch.zeros(len(tokens), time))


def test_all_ways_to_hand_pairs_over_give_the_same(tmp_path):
    import pandas
    import polars

    sources, targets = split(PAIRS)
    (tmp_path / "a.de").write_text("\n".join(sources) + "\n", encoding="utf-8")
    with gzip.open(tmp_path / "a.en.gz", "wt", encoding="utf-8", newline="") as file:
        file.write("\r\n".join(targets) + "\r\n")
    rows = "".join(f"{s}\t{t}\n" for s, t in PAIRS)
    (tmp_path / "a.tsv").write_text(f"source\ttarget\n{rows}", encoding="utf-8")
    frame = {"source": sources, "target": targets}
    given = [
        (PAIRS,),
        (sources, targets),
        (np.array(sources), np.array(targets)),
        (tmp_path / "a.de", str(tmp_path / "a.en.gz")),
        (tmp_path / "a.tsv",),
        (pandas.DataFrame(frame),),
        (polars.DataFrame(frame),),
    ]
    for one in given:
        pairs = read_pairs(*one)
        assert (list(pairs.sources), list(pairs.targets)) == (sources, targets)
        assert pairs.notes == ()


def test_other_columns_are_guessed_and_said(tmp_path):
    (tmp_path / "a.csv").write_text("id,german,english\n1,eins,one\n2,zwei,two\n")
    pairs = read_pairs(tmp_path / "a.csv")
    assert pairs.targets == ("one", "two")
    assert "'german' and 'english'" in pairs.notes[0]
    assert read_sources(tmp_path / "a.csv").sources == ("eins", "zwei")


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (["a", "b"], ["c"], "2 lines and the target 1"),
        (["a", "b"], None, "no target was given"),
        ([("a", "b", "c")], None, "is no pair"),
        (["a"], [3], "target"),
        (3.0, ["a"], "source is a float"),
    ],
)
def test_what_is_no_pairs_is_refused(x, y, said):
    with pytest.raises(InputError, match=said):
        read_pairs(x, y)


def test_a_lone_file_of_lines_asks_for_the_other(tmp_path):
    (tmp_path / "a.txt").write_text("eins\n")
    with pytest.raises(InputError, match="no target was given"):
        read_pairs(tmp_path / "a.txt")


def test_answers_come_in_the_form_of_the_question(tmp_path):
    import pandas
    import polars

    (tmp_path / "a.txt").write_text("eins\nzwei\n")
    texts = ["one", "two"]
    assert answer(read_sources(["eins", "zwei"]), texts) == texts
    columns = answer(read_sources(tmp_path / "a.txt"), texts)
    assert {k: v.tolist() for k, v in columns.items()} == {
        "source": ["eins", "zwei"],
        "translation": texts,
    }
    for library in (pandas, polars):
        frame = answer(read_sources(library.DataFrame({"text": ["eins", "zwei"]})), texts)
        assert isinstance(frame, library.DataFrame)
        assert frame["translation"].to_list() == texts


def test_what_is_held_out_teaches_nothing():
    def learned(pairs):
        data = Pairs(Tokens("word"), Tokens("word"), holdout=8, seed=3)
        fold = data.fit(pairs)
        return data, fold

    data, fold = learned(PAIRS)
    assert (len(fold.train), len(fold.valid), len(fold.whole)) == (32, 8, 40)
    held = set(fold.valid.pairs.sources)
    other = [(s, "else" if s in held else t) for s, t in PAIRS]
    again, _ = learned(other)
    assert again.state()[0] == data.state()[0]
    assert held.isdisjoint(fold.train.pairs.sources)


def test_pairs_of_the_same_source_stay_together():
    pairs = [(f"s{i % 10}", f"t{i}") for i in range(100)]
    data = Pairs(Tokens("word"), Tokens("word"), holdout=30)
    fold = data.fit(pairs)
    assert len(fold.valid) == 30
    assert set(fold.train.pairs.sources).isdisjoint(fold.valid.pairs.sources)


def test_empty_and_long_pairs_are_left_out_and_said():
    pairs = [*PAIRS, ("", "nothing"), ("nichts", "  "), ("a " * 30, "b")]
    data = Pairs(Tokens("word"), Tokens("word"), holdout=0, max_length=10)
    fold = data.fit(pairs)
    assert len(fold.train) == len(PAIRS)
    assert fold.valid is None
    assert data.notes_ == (
        "2 of 43 pairs have an empty side and were left out",
        "1 of 43 pairs are longer than 10 tokens and were left out",
    )
    with pytest.raises(InputError, match="none with text on both sides"):
        data.fit([("", "a")])
    with pytest.raises(InputError, match="max_length is 2"):
        Pairs(Tokens("word"), Tokens("word"), holdout=0, max_length=2).fit(PAIRS)
    with pytest.raises(InputError, match="holdout is 500, and there are 40 pairs"):
        Pairs(Tokens("word"), Tokens("word"), holdout=500).fit(PAIRS)


def test_a_batch_is_padded_shifted_and_ended():
    data = Pairs(Tokens("char"), Tokens("char"), holdout=0)
    fold = data.fit([("ab", "xyz"), ("abc", "x")])
    batch = fold.train.batch(torch.tensor([0, 1]))
    a, b, c = data.source_.encode("abc")
    x, y, z = data.target_.encode("xyz")
    assert batch.source.tolist() == [[a, b, END, PAD], [a, b, c, END]]
    assert batch.source_lengths.tolist() == [3, 4]
    assert batch.given.tolist() == [[START, x, y, z], [START, x, PAD, PAD]]
    assert batch.target_lengths.tolist() == [4, 2]
    assert batch.answers.tolist() == [x, y, z, END, x, END]
    assert fold.train.lengths.tolist() == [7, 6]
    lone = data.encode(["ab"]).batch(torch.tensor([0]))
    assert lone.given.shape == (1, 0)
    assert lone.limits.tolist() == [9]


def test_a_translation_may_be_as_long_as_any_in_training():
    pairs = [("a" * n, "b" * (3 * n)) for n in range(1, 30)]
    data = Pairs(Tokens("char"), Tokens("char"), holdout=0)
    fold = data.fit(pairs)
    batch = fold.train.batch(torch.arange(29))
    assert (batch.limits >= batch.target_lengths).all()


def test_state_brings_everything_back():
    for joint in (True, False):
        data = Pairs(Tokens("word"), Tokens("word"), joint=joint)
        data.fit(PAIRS)
        settings, tensors = data.state()
        other = Pairs(Tokens("word"), Tokens("word"), joint=joint)
        other.restore(settings, tensors)
        assert other.state() == (settings, {})
        assert other.target_.names == data.target_.names
        assert other.looked_up("wort3 wort4") == data.looked_up("wort3 wort4")


def test_unknown_words_are_copied_from_where_it_looked():
    data = Pairs(Tokens("word"), Tokens("word"), holdout=0)
    data.fit([("guten Tag", "good day")])
    good, day = data.target_.encode("good day")
    hypothesis = found([good, UNKNOWN, day])
    hypothesis.weights[1, 2] = 1.0
    assert data.written("guten Abend Marie", hypothesis) == "good Marie day"
    hypothesis.weights = torch.zeros(3, 0)
    assert data.written("guten Abend Marie", hypothesis) == "good <unk> day"
    assert data.written("  ", hypothesis) == ""


def test_unknown_tokens_are_written_only_where_training_had_some():
    data = Pairs(Tokens("word"), Tokens("word", min_count=2), holdout=0)
    data.fit([("a", "b"), ("c", "b")])
    assert data.never == (PAD, UNKNOWN)
    data.fit([("a", "b"), ("c", "b d")])
    assert data.never == (PAD,)


def test_a_name_is_found_for_messages():
    pairs = PairLines(("a",), ("b",), "lines")
    sentences = Sentences(pairs, [[5, END]], [[6, END]], [3])
    assert sentences.where(0) == "line 1"
    assert sentences.culprit(0) is None


def test_a_table_of_a_file_is_text_as_it_is_written(tmp_path):
    path = tmp_path / "numbers.csv"
    path.write_text('source,target\n"null, or so",0\nsieben,007\n2024-01-02,NA\n', encoding="utf-8")
    found = read_pairs(path)
    assert found.sources == ("null, or so", "sieben", "2024-01-02")
    assert found.targets == ("0", "007", "NA")
    (tmp_path / "t.tsv").write_text("de\ten\r\neins\t1\r\n", encoding="utf-8")
    assert read_pairs(tmp_path / "t.tsv").targets == ("1",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source,target\n", "no rows below a header"),
        ("", "no rows below a header"),
        ("source,target\na,b\nc\n", "line 3: 1 cells under 2"),
        ("a,a\nb,c\n", "two columns called 'a'"),
        ("source\na\n", "1 hold text, and 2 have to; name them source and target"),
    ],
)
def test_a_table_that_holds_no_pairs_is_refused(tmp_path, text, said):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_pairs(path)


def test_a_frame_with_numbers_is_asked_for_text():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="1 hold text, and 2 have to; turn 'target' into text"):
        read_pairs(pandas.DataFrame({"source": ["eins"], "target": [1]}))
