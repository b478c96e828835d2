from __future__ import annotations

import gzip

import numpy as np
import pytest

from gatewise.data import Tokens
from gatewise.data.language.sources import Sources
from gatewise.data.language.texts import Texts
from gatewise.data.text.vocabulary import END, UNKNOWN
from gatewise.errors import InputError

TEXT = "".join(f"line {n}: the cat sat on the mat.\n" for n in range(60))


def fitted(x=TEXT, unit="char", **how):
    data = Texts(Tokens(unit), window=8, **how)
    return data, data.fit(x)


def test_the_end_of_the_text_is_held_out_and_unseen():
    data, fold = fitted(TEXT + "ÿ")
    cut = int((len(TEXT) + 1) * 0.9)
    assert len(fold.train) == cut + 1
    assert fold.train.tokens[0] == END
    assert data.vocabulary_.decode(fold.train.tokens) == TEXT[:cut]
    assert len(fold.valid) == len(TEXT) + 1 - cut
    assert fold.valid.tokens[-1] == UNKNOWN
    assert fold.valid.facts["characters"] == len(TEXT) + 1 - cut


def test_words_are_not_cut_in_two():
    data, fold = fitted(unit="word")
    text = data.vocabulary_.decode(fold.train.tokens)
    assert text.endswith("mat.\n")
    held = data.vocabulary_.decode(fold.valid.tokens[fold.valid.start :])
    assert held.startswith("line <unk>: the cat")
    assert text.count("\n") + held.count("\n") == 60
    assert fold.valid.facts["characters"] + len(text) == len(TEXT)


def test_files_gzip_strings_and_lists_are_the_same_text(tmp_path):
    plain, packed = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    plain.write_text(TEXT, encoding="utf-8")
    packed.write_bytes(gzip.compress(TEXT.encode()))
    folds = [fitted(x)[1] for x in (TEXT, [TEXT], plain, str(plain), packed, [str(packed)])]
    assert len({f.digest for f in folds}) == 1
    assert all(np.array_equal(f.train.tokens, folds[0].train.tokens) for f in folds)
    assert fitted(["one", TEXT])[1].digest != folds[0].digest


def test_each_text_begins_with_the_token_that_ends_texts():
    _, fold = fitted([TEXT, TEXT, TEXT], holdout=0.0)
    assert fold.valid is None
    assert (fold.train.tokens == END).sum() == 3


def test_a_backward_model_reads_each_text_from_its_end():
    data, fold = fitted([TEXT, "abc\n"], holdout=0.0, reverse=True)
    names = [data.vocabulary_.names[n] for n in fold.train.tokens]
    assert names[:6] == ["</s>", "\n", "c", "b", "a", "</s>"]
    assert "".join(names[6:]) == TEXT[::-1]
    data, fold = fitted(TEXT, reverse=True)
    assert fold.valid.tokens[0] == END
    held = data.vocabulary_.decode(fold.valid.tokens)[::-1]
    assert TEXT.endswith(held)
    assert len(held) == len(fold.valid) == len(TEXT) - int(0.9 * len(TEXT))


def test_anything_in_utf8_comes_back(tmp_path):
    odd = "smile 😀\x00 tab\t é\r lone\n" * 40
    path = tmp_path / "odd.txt"
    path.write_bytes(odd.encode())
    for unit in ("char", "byte"):
        data, fold = fitted(path, unit)
        tokens = [*fold.train.tokens, *fold.valid.tokens[fold.valid.start :]]
        assert data.vocabulary_.decode(tokens) == odd


def test_wrong_bytes_are_named_by_their_offset(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_bytes(b"good\xffbad" * 10)
    with pytest.raises(InputError, match="offset 4"):
        fitted(path)


def test_larger_than_memory_is_read_in_pieces(monkeypatch, tmp_path):
    path = tmp_path / "long.txt"
    path.write_text(TEXT, encoding="utf-8")
    whole = fitted(path, "word")[1]
    monkeypatch.setattr("gatewise.data.files.text_files._PIECE", 64)
    monkeypatch.setattr("gatewise.data.files.text_files.stream_text.__defaults__", (64,))
    monkeypatch.setattr("gatewise.data.language.token_store.MOST_IN_MEMORY", 0)
    monkeypatch.setattr("gatewise.data.language.token_store.TokenStore.__init__.__defaults__", (0,))
    parts = list(Sources.of(path).parts(1000, by_line=True))
    assert len(parts) > 10
    assert all(text.endswith("\n") for text, _, _ in parts)
    pieces = fitted(path, "word")[1]
    assert isinstance(pieces.train.tokens, np.memmap)
    assert np.array_equal(pieces.train.tokens, whole.train.tokens)
    assert np.array_equal(pieces.valid.tokens, whole.valid.tokens)
    assert pieces.digest == whole.digest


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_text_without_lines_is_cut_between_words(end):
    text = " ".join(f"word{n % 7}" for n in range(600)) + end
    _, fold = fitted(text, "word")
    assert 0.08 < len(fold.valid) / 600 < 0.12
    assert UNKNOWN not in fold.train.tokens
    parts = list(Sources.of(text).parts(1000, by_line=True))
    assert "".join(part for part, _, _ in parts) == text
    assert [held for _, _, held in parts] == [False, True]
    assert parts[1][0].startswith(" word")


def test_a_file_of_one_endless_line_is_never_held_whole(tmp_path):
    path = tmp_path / "line.txt"
    text = " ".join(f"word{n % 7}" for n in range(40_000))
    path.write_text(text, encoding="utf-8")
    sources = Sources.of(path)
    small = [(text[k : k + 5000], not k) for k in range(0, len(text), 5000)]
    object.__setattr__(sources, "pieces", lambda: iter(small))
    parts = list(sources.parts(len(text) // 2, by_line=True))
    assert "".join(part for part, _, _ in parts) == text
    assert max(len(part) for part, _, _ in parts) < 10_000
    whole = [word for part, _, _ in parts for word in part.split()]
    assert whole == text.split()


def test_a_name_of_a_file_that_is_not_there_is_no_text():
    with pytest.raises(InputError, match=r"there is no file nowhere\.txt"):
        fitted("nowhere.txt")
    assert Sources.of("read the file.txt").held == ("read the file.txt",)


@pytest.mark.parametrize("x", ["", "short", [], 7, [7], ["a", None]])
def test_what_is_no_text_or_too_little_is_refused(x):
    with pytest.raises(InputError):
        fitted(x)


def test_answers_are_given_by_token_in_the_order_of_the_text():
    data, _ = fitted()
    dataset = data.examples("the cat")
    places = np.arange(1, 8)
    table = data.undo(dataset, [(places[4:], np.arange(4, 7.0)), (places[:4], np.arange(4.0))])
    assert "".join(table["token"]) == "the cat"
    assert table["nats"].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_it_is_the_same_after_a_save():
    data, _ = fitted()
    again = Texts(Tokens("char"), window=8)
    again.restore(*data.state())
    assert again.vocabulary_.names == data.vocabulary_.names
    passage = data.examples("the mat")
    assert np.array_equal(
        again.baselines_.nats(passage.tokens, 1), data.baselines_.nats(passage.tokens, 1)
    )
