"""Vectors of uneven sequences, and back: what they keep, what they cost, and wrong input."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

import gatewise
from gatewise.cli.main import main
from gatewise.data.labels.batches import LabelBatch
from gatewise.data.sequences.holdout import Holdout
from gatewise.errors import InputError
from gatewise.evaluation.sequence_pca import SequencePCA, stretched
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.embedder import Embedded, SequenceEmbedder
from gatewise.nn.networks.embedder import stretched as stretched_in_torch
from gatewise.objectives.reconstruction import Reconstruction
from gatewise.tasks.autoencoder import Autoencoder
from gatewise.train.spec import Trainer

QUICK = Trainer(max_steps=12, seed=1)
SMALL = Encoder(hidden_size=16, bidirectional=True)


def waves(count, seed=0, channels=1):
    """Sines of two kinds and of uneven lengths, and which kind each is of."""
    rng = np.random.default_rng(seed)
    found, labels = [], []
    for _ in range(count):
        kind = int(rng.integers(2))
        t = np.linspace(0, 1, int(rng.integers(8, 20)))
        wave = np.sin(2 * np.pi * (1 + kind) * t + rng.uniform(0, 0.5)) * rng.uniform(1, 2)
        found.append(np.stack([wave * (1 + c) + 5 * c for c in range(channels)], axis=1))
        labels.append("fast" if kind else "slow")
    return found, labels


@pytest.fixture(scope="module")
def fitted():
    x, y = waves(60, channels=2)
    return Autoencoder(5, encoder=SMALL, trainer=QUICK).fit(x, y)


def test_vectors_and_back(fitted):
    x, _ = waves(7, seed=1, channels=2)
    vectors = fitted.transform(x)
    assert vectors.shape == (7, 5)
    np.testing.assert_array_equal(fitted.predict(x), vectors)
    back = fitted.inverse_transform(vectors, [len(a) for a in x])
    for mine, theirs in zip(back, fitted.reconstruct(x), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    assert fitted.inverse_transform(vectors)[0].shape == (fitted.data_.usual_length_, 2)
    assert [len(a) for a in fitted.inverse_transform(vectors, 3)] == [3] * 7
    assert fitted.inverse_transform(np.zeros((0, 5))) == []


def test_reconstructions_are_close(fitted):
    x, _ = waves(20, seed=2, channels=2)
    errors = [np.mean((a - b) ** 2, axis=0) for a, b in zip(x, fitted.reconstruct(x), strict=True)]
    spread = np.var(np.concatenate(x), axis=0)
    assert (np.mean(errors, axis=0) < 0.1 * spread).all()


def test_a_sequence_alone_has_the_vector_that_it_has_among_others(fitted):
    x, _ = waves(6, seed=3, channels=2)
    alone = np.concatenate([fitted.transform([a]) for a in x])
    np.testing.assert_allclose(alone, fitted.transform(x), atol=1e-5)


def test_saved_and_loaded(fitted, tmp_path):
    x, y = waves(12, seed=4, channels=2)
    fitted.save(tmp_path / "model")
    back = gatewise.load(tmp_path / "model")
    np.testing.assert_array_equal(back.transform(x), fitted.transform(x))
    assert back.evaluate(x, y).table == fitted.evaluate(x, y).table
    with pytest.raises(AttributeError, match="after a fit in this process"):
        back.report_


def test_figures_beside_pca_and_the_mean(fitted):
    x, y = waves(40, seed=5, channels=2)
    table = fitted.evaluate(x, y).table
    assert list(table) == ["model", "pca", "mean"]
    assert table["pca"]["mse"] < table["mean"]["mse"]
    assert table["model"]["mse"] < 1.1 * table["pca"]["mse"]
    assert table["model"]["retrieval"] > 0.9
    assert "retrieval" not in fitted.evaluate(x).table["model"]
    assert "PCA" in fitted.summary_.sentences[0]


def test_pca_row_by_hand(fitted):
    x, _ = waves(9, seed=6, channels=2)
    data = fitted.data_
    scaled = [(a - data.features_.mean) / data.features_.std for a in x]
    rows = np.stack([stretched(a, data.pca_.grid).ravel() for a in scaled])
    apart = rows - data.pca_.mean
    back = apart @ data.pca_.components.T @ data.pca_.components + data.pca_.mean
    errors = [
        np.mean((stretched(b.reshape(-1, 2), len(a)) - a) ** 2)
        for a, b in zip(scaled, back, strict=True)
    ]
    assert fitted.evaluate(x).table["pca"]["mse"] == pytest.approx(np.mean(errors), rel=1e-4)


def test_the_network_starts_as_pca():
    x, _ = waves(30, channels=2)
    model = Autoencoder(4, encoder=SMALL)
    data = model.data()
    fold = data.fit(x)
    network = model.task(data).network.eval()
    batch = fold.train.batch(torch.arange(len(fold.train)))
    wanted = data.pca_.encode(data.values(fold.train))
    np.testing.assert_allclose(network.encode(batch).detach(), wanted, atol=1e-5)
    again = data.pca_.decode(wanted, batch.lengths.tolist())
    for found, theirs, n in zip(network(batch).reconstruction, again, batch.lengths, strict=True):
        np.testing.assert_allclose(found[:n].detach(), theirs, atol=1e-4)


def test_stretching_in_torch_and_numpy_is_the_same():
    rng = np.random.default_rng(0)
    lengths, wanted = [1, 2, 7, 5], [4, 1, 3, 9]
    x = torch.from_numpy(rng.normal(size=(4, 7, 3)))
    found = stretched_in_torch(x, torch.tensor(lengths), torch.tensor(wanted), 9)
    for row, one, n, m in zip(found, x, lengths, wanted, strict=True):
        np.testing.assert_allclose(row[:m], stretched(one[:n].numpy(), m), atol=1e-6)
        assert not row[m:].any()


def test_gradients():
    torch.manual_seed(0)
    network = SequenceEmbedder(
        Encoder(hidden_size=3, dropout=0.0),
        2,
        2,
        2,
        4,
        start=(np.zeros(8), np.eye(8)[:2]),
    ).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    lengths = torch.tensor([3, 1])

    def loss(x):
        return Reconstruction(2)(network(LabelBatch(x, lengths)), LabelBatch(x, lengths))

    x = torch.randn(2, 3, 2, dtype=torch.float64) * (torch.arange(3) < lengths[:, None])[..., None]
    assert torch.autograd.gradcheck(loss, x.requires_grad_())


def test_loss_by_hand():
    x = torch.tensor([[[1.0, 9.0, 1.0], [2.0, 0.0, 0.0]], [[3.0, 1.0, 1.0], [7.0, 7.0, 7.0]]])
    batch = LabelBatch(x, torch.tensor([2, 1]))
    back = torch.zeros(2, 2, 2)
    # Channel 1 is missing at the second step of the first sequence.
    wanted = ((1 + 81 + 4) / 3 + (9 + 1) / 2) / 2
    output = Embedded(back, torch.zeros(2, 1), torch.zeros(2, 1), None)
    assert float(Reconstruction(2, masked=[1])(output, batch)) == pytest.approx(wanted)
    drawn = Embedded(back, torch.zeros(2, 1), torch.ones(2, 1), torch.zeros(2, 1))
    more = wanted + 2 * 0.5 * 0.5 * (1 / 3 + 1 / 2) / 2
    assert float(Reconstruction(2, [1], 0.5)(drawn, batch)) == pytest.approx(more)


def test_without_the_linear_part_and_with_a_distribution():
    x, _ = waves(40)
    for options in ({"linear": False}, {"variational": True}):
        model = Autoencoder(3, encoder=SMALL, trainer=QUICK, **options).fit(x)
        assert model.transform(x).shape == (40, 3)
        assert np.isfinite(model.transform(x)).all()
        np.testing.assert_array_equal(model.transform(x), model.transform(x))


def test_missing_values_do_not_count():
    x, _ = waves(40, channels=2)
    for a in x[::2]:
        a[1::3, 0] = np.nan
    model = Autoencoder(4, encoder=SMALL, trainer=QUICK).fit(x)
    assert np.isfinite(model.transform(x)).all()
    assert model.reconstruct(x)[0].shape == x[0].shape
    assert model.summary_.table["model"]["mse"] < 0.5


def test_fewer_sequences_than_features_of_a_vector():
    x, _ = waves(3)
    model = Autoencoder(8, encoder=SMALL, trainer=QUICK).fit(x)
    assert model.transform(x).shape == (3, 8)
    assert model.summary_ is None
    assert "Nothing was held out" in model.report_.html()


def test_report(fitted):
    page = fitted.report_.html()
    assert "<h2>Map</h2>" in page
    assert "<h2>Reconstructions</h2>" in page
    assert page.count("<svg") >= 3
    assert "fast" in page


def test_frames_have_the_series_beside_the_vectors(fitted):
    x, _ = waves(4, seed=7, channels=2)
    rows = [(f"s{i}", t, *a[t]) for i, a in enumerate(x) for t in range(len(a))]
    frame = pd.DataFrame(rows, columns=["series", "time", "value_0", "value_1"])
    model = Autoencoder(2, encoder=SMALL, trainer=QUICK).fit(frame)
    found = model.predict(frame)
    assert list(found.columns) == ["series", "v0", "v1"]
    assert found["series"].tolist() == ["s0", "s1", "s2", "s3"]


def test_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    x, y = waves(24)
    rows = [
        (i, t, float(a[t, 0]), k)
        for i, (a, k) in enumerate(zip(x, y, strict=True))
        for t in range(len(a))
    ]
    pd.DataFrame(rows, columns=["series", "time", "level", "label"]).to_csv("w.csv", index=False)
    fit = "fit autoencoder w.csv --code-size 3 --out w.model --trainer.max-steps 5 --quiet"
    assert main(fit.split()) == 0
    assert "<h2>Map</h2>" in (tmp_path / "w.model" / "report.html").read_text()
    assert main(["predict", "w.model", "w.csv", "--out", "v.csv"]) == 0
    vectors = pd.read_csv("v.csv")
    assert list(vectors.columns) == ["series", "v0", "v1", "v2"]
    assert len(vectors) == 24
    assert main(["evaluate", "w.model", "w.csv", "--json", "f.json"]) == 0
    found = json.loads((tmp_path / "f.json").read_text())
    assert set(found["figures"]) == {"mse", "retrieval"}
    assert set(found["baselines"]) == {"pca", "mean"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"code_size": 0}, "code_size=0: give a whole number of at least 1"),
        ({"kl_weight": -1.0}, "kl_weight=-1.0: give a number of at least 0"),
        ({"input_noise": float("nan")}, "input_noise=nan"),
        ({"encoder": Encoder(zoneout=0.1)}, "encoder.zoneout is 0.1, and an autoencoder has only"),
        ({"holdout": Holdout(by="group")}, "the data has no group column"),
    ],
)
def test_wrong_parameters(options, message):
    with pytest.raises(InputError, match=message):
        Autoencoder(**options).fit(waves(20)[0])


def test_wrong_input(fitted):
    with pytest.raises(InputError, match="these are texts"):
        Autoencoder().fit(["a text", "another"])
    with pytest.raises(InputError, match="sequence 1 is empty"):
        Autoencoder().fit([np.ones((3, 1)), np.ones((0, 1))])
    with pytest.raises(InputError, match="channels"):
        fitted.transform([np.ones((4, 3))])
    with pytest.raises(InputError, match=r"vectors has shape \(2, 4\).*\[sequences, 5\]"):
        fitted.inverse_transform(np.ones((2, 4)))
    with pytest.raises(InputError, match="lengths is 0; give a whole number of at least 1"):
        fitted.inverse_transform(np.ones((2, 5)), 0)
    with pytest.raises(InputError, match="each of the 2 vectors"):
        fitted.inverse_transform(np.ones((2, 5)), [3])
    with pytest.raises(InputError, match="is not fitted"):
        Autoencoder().transform([[1.0]])


def test_components_of_no_sequences():
    with pytest.raises(InputError, match="there are 0 sequences"):
        SequencePCA.fit([], 2, 3)
