from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from gatewise import Trainer
from gatewise.data import Tokens
from gatewise.data.sequences.holdout import Holdout
from gatewise.errors import InputError
from gatewise.nn.layers.encoder import Encoder
from gatewise.tasks.classification import SequenceClassifier
from gatewise.tasks.language_model import LanguageModel
from gatewise.tasks.transfer import ULMFIT

SUBJECTS = ("the cat", "a dog", "my hen", "the cow")
GOOD, BAD = ("sings", "smiles", "shines"), ("weeps", "howls", "rots")
TEXTS = [f"{s} {v} in the {p}" for s in SUBJECTS for v in (*GOOD, *BAD) for p in ("sun", "rain")]
LABELS = ["good" if any(v in t for v in GOOD) else "bad" for t in TEXTS]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for direction in ("forward", "backward"):
        model = LanguageModel(
            tokens=Tokens("word"),
            direction=direction,
            embedding_size=8,
            encoder=Encoder(hidden_size=12, num_layers=2),
            trainer=Trainer(max_epochs=3, batch_size=4),
        )
        model.fit(TEXTS * 3).save(folder / direction)
    return tuple(str(folder / d) for d in ("forward", "backward"))


def fitted(pretrained, **how):
    how = {"max_epochs": 12, **how, "batch_size": 8}
    model = SequenceClassifier(
        pretrained=pretrained, holdout=Holdout(0.0), trainer=Trainer(**how)
    )  # fmt: skip
    return model.fit(TEXTS, LABELS)


def test_a_classifier_begins_with_the_language_models_weights(folders):
    given = LanguageModel.load(folders[0]).network_.reader.state_dict()
    ulmfit = {f.name: getattr(ULMFIT, f.name) for f in fields(ULMFIT)}
    model = fitted(folders[0], **{**ulmfit, "max_epochs": 1})
    found = model.network_.reader.state_dict()
    # In the first epoch only the map on top learns.
    assert all(torch.equal(found[name], value) for name, value in given.items())
    thawed = fitted(folders[0], **{**ulmfit, "max_epochs": 5}).network_.reader.state_dict()
    assert not any(torch.equal(thawed[name], value) for name, value in given.items())


def test_two_directions_are_averaged_and_saved_without_their_folders(folders, tmp_path):
    model = fitted(folders, max_epochs=40)
    assert len(model.network_.members) == 2
    assert [m.backward for m in model.network_.members] == [False, True]
    model.save(tmp_path / "m")
    again = SequenceClassifier.load(tmp_path / "m")
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert (np.asarray(model.predict(TEXTS)) == LABELS).mean() > 0.7


def test_wrong_folders_are_refused(folders, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        fitted(str(tmp_path / "nowhere"))
    fitted(folders[0], max_epochs=1).save(tmp_path / "c")
    with pytest.raises(InputError, match="holds a SequenceClassifier"):
        fitted(str(tmp_path / "c"))
    other = LanguageModel(tokens=Tokens("char"), encoder=Encoder(hidden_size=4),
                          trainer=Trainer(max_steps=1)).fit(" ".join(TEXTS))  # fmt: skip
    other.save(tmp_path / "o")
    with pytest.raises(InputError, match="another vocabulary"):
        fitted((folders[0], str(tmp_path / "o")))
    with pytest.raises(InputError, match="these are numbers"):
        SequenceClassifier(pretrained=folders[0]).fit([[1.0, 2.0]] * 20, ["a", "b"] * 10)


def test_a_language_model_goes_on_from_another_and_is_lent_like_it(folders, tmp_path):
    before = LanguageModel.load(folders[0])
    still = Trainer(max_steps=1, lr=1e-12, batch_size=4)
    model = LanguageModel(pretrained=folders[0], trainer=still).fit("a dog sings in the fog\n" * 9)
    held, found = before.network_.state_dict(), model.network_.state_dict()
    assert all(torch.allclose(found[name], value, atol=1e-6) for name, value in held.items())
    assert model.data_.vocabulary_.names == before.data_.vocabulary_.names
    model.save(tmp_path / "m")
    again = LanguageModel.load(tmp_path / "m")
    assert again.token_scores("my hen rots") == model.token_scores("my hen rots")
    borrower = fitted(str(tmp_path / "m"), max_epochs=1)
    assert borrower.network_.reader.output_size == 12
    further = LanguageModel(pretrained=str(tmp_path / "m"), trainer=still).fit(" ".join(TEXTS))
    assert further.network_.reader.output_size == 12


def test_a_language_model_goes_on_in_its_own_direction_only(folders):
    for wrong in ({"pretrained": folders[1]}, {"pretrained": folders}):
        with pytest.raises(InputError, match="one language model that reads in that direction"):
            LanguageModel(**wrong, trainer=Trainer(max_steps=1)).fit(" ".join(TEXTS))
