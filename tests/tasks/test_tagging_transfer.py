"""A tagger that sees what language models make of its tokens."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from gatewise import Encoder, InputError, Trainer
from gatewise.data import Tokens
from gatewise.nn import TokenFeatures
from gatewise.tasks import LanguageModel, SequenceTagger

SUBJECTS = ("the cat", "a dog", "my hen", "the cow")
TEXTS = [f"{s} {v} in the {p}" for s in SUBJECTS for v in ("sings", "rots") for p in ("Sun", "sea")]
TAGS = [["DET", "NOUN", "VERB", "ADP", "DET", "NOUN"]] * len(TEXTS)
LOWER = Tokens("word", lower=True)
SMALL = {
    "encoder": Encoder(hidden_size=8, bidirectional=True),
    "features": TokenFeatures(size=8, character_size=4, dropout=0.1),
}


def language_model(folder, direction="forward", tokens=LOWER):
    model = LanguageModel(
        tokens=tokens,
        direction=direction,
        embedding_size=6,
        encoder=Encoder(hidden_size=10, num_layers=2),
        trainer=Trainer(max_steps=20, batch_size=4),
    )
    model.fit(TEXTS * 3).save(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return tuple(language_model(folder / d, d) for d in ("forward", "backward"))


def fitted(pretrained, epochs=12, texts=TEXTS, tags=TAGS, **how):
    trainer = Trainer(max_epochs=epochs, batch_size=4, lr=0.01)
    return SequenceTagger(pretrained=pretrained, trainer=trainer, **SMALL, **how).fit(texts, tags)


def test_it_answers_the_same_once_saved_and_without_the_folders(folders, tmp_path):
    kept = tuple(shutil.copytree(f, tmp_path / str(k)) for k, f in enumerate(folders))
    model = fitted(tuple(map(str, kept)))
    model.save(tmp_path / "m")
    for folder in kept:
        shutil.rmtree(folder)
    again = SequenceTagger.load(tmp_path / "m")
    pairs = zip(again.predict_proba(TEXTS), model.predict_proba(TEXTS), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert again.predict(TEXTS) == TAGS


def test_the_encoders_begin_as_they_were_learned(folders):
    model = SequenceTagger(pretrained=folders, **SMALL)
    data = model.data()
    data.fit(TEXTS, TAGS)
    readers = model.task(data).network.pretrained
    assert readers.backward == [False, True]
    for reader, folder in zip(readers.readers, folders, strict=True):
        given = LanguageModel.load(folder).network_.reader.state_dict()
        assert all(torch.equal(reader.state_dict()[name], of) for name, of in given.items())


def test_tokens_have_the_numbers_of_the_language_model(folders):
    data = SequenceTagger(pretrained=folders[0], **SMALL).data()
    data.fit(TEXTS, TAGS)
    examples = data.encode([["the", "SUN", "explodes"], ["the"]])
    known = LanguageModel.load(folders[0]).data_.vocabulary_.names
    found = examples.batch(torch.tensor([0, 1])).pretrained
    assert [[known[n] for n in row] for row in found.tolist()] == [
        ["the", "sun", "<unk>"],
        ["the", "<pad>", "<pad>"],
    ]


def test_networks_of_an_ensemble_have_encoders_of_their_own(folders):
    model = fitted(folders[0], epochs=1, ensemble=2)
    first, second = (m.pretrained.readers[0].embedding.weight for m in model.network_.members)
    assert first.data_ptr() != second.data_ptr()


def test_letters_are_read_by_a_language_model_of_characters(tmp_path):
    folder = language_model(tmp_path / "c", tokens=Tokens("char"))
    chains, tags = ["the cat".replace(" ", "")] * 10, [list("CCCHHH")] * 10
    model = fitted(folder, epochs=2, texts=[list(c) for c in chains], tags=tags)
    assert [len(t) for t in model.predict([list("the")])] == [3]
    with pytest.raises(InputError, match=r"unit='char', and these tokens are words: give one with"):
        fitted(folder)


def test_what_is_no_such_model_is_refused(folders, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        fitted(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="pretrained=3: give the folder"):
        fitted(3)
    with pytest.raises(InputError, match="another vocabulary"):
        fitted((folders[0], language_model(tmp_path / "o", tokens=Tokens("word"))))
    with pytest.raises(InputError, match="tokens are single letters: give one with"):
        fitted(folders[0], texts=[list("abc")] * 10, tags=[list("xyx")] * 10)
    with pytest.raises(InputError, match="these are numbers"):
        fitted(folders[0], texts=[np.ones((3, 1))] * 10, tags=[list("xyx")] * 10)
