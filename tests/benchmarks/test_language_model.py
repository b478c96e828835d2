"""The language model's benchmark, part by part, on a small text and in a moment."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest
import torch

from benchmarks import language_model as bench
from benchmarks.harness import Options, Result
from gatewise import Encoder
from gatewise.data import Tokens
from gatewise.tasks import LanguageModel

SPOKEN = ("To be", "or not", "to be,", "that is", "the question:\n")


@pytest.fixture
def options(tmp_path, monkeypatch):
    folder = tmp_path / "tiny_shakespeare"
    folder.mkdir()
    words = np.random.default_rng(0).choice(SPOKEN, 1500)
    (folder / "input.txt").write_text(" ".join(words), encoding="utf-8")
    small = {"STEPS": 2, "WARM": 1, "REPEATS": 1, "WRITTEN": 50, "BATCHES": (2, 4)}
    for name, value in {**small, "LONG": {"encoder": Encoder(hidden_size=16)}}.items():
        monkeypatch.setattr(bench, name, value)
    return lambda *parts: Options(tmp_path, 1, (), Namespace(only=parts, share=1e-4))


def test_speed_and_generation(options):
    result = bench.measure(options("speed", "generation"))
    keys = ("training_tokens_per_second", "training_speed_against_pytorch")
    wanted = {f"{key}{which}" for key in keys for which in ("", "_2_streams")}
    kinds = ("float32", "bfloat16", "int8")
    wanted |= {f"generation_characters_per_second_{kind}" for kind in kinds}
    assert set(result.figures) == wanted
    assert min(result.figures.values()) > 0


def test_what_is_learned_in_a_given_time(options):
    result = bench.measure(options("short", "long"))
    names = ["3 minutes", "5-gram", "unigram", "gzip", "xz"]
    names += ["3 minutes, dynamic evaluation", "30 minutes"]
    assert [row["model"] for row in result.rows] == names
    assert {"nats_3_minutes", "nats_3_minutes_dynamic", "nats_30_minutes"} <= set(result.figures)
    assert all(note.startswith("> ") for note in result.notes)


def test_speed_is_compared_with_a_network_of_as_many_weights():
    model = LanguageModel(tokens=Tokens("char"))
    data = model.data()
    data.fit(" ".join(SPOKEN) * 20)
    ours = model.task(data).network
    plain = bench.Plain(len(data.vocabulary_))
    counts = [sum(w.numel() for w in network.parameters()) for network in (ours, plain)]
    assert counts[0] == counts[1]
    assert torch.is_tensor(plain(torch.zeros(1, 3, dtype=torch.int64), None)[0])


def test_the_gate_knows_the_surprise_of_single_letters():
    assert bench.gate(Result({})) is None
    assert bench.gate(Result({"nats_unigram": bench.UNIGRAM + 1e-4})) is None
    assert "unigrams have 3.0000 nats" in (bench.gate(Result({"nats_unigram": 3.0})) or "")


def test_single_letters_have_that_surprise(data_dir):
    text = (data_dir / "tiny_shakespeare" / "input.txt").read_text(encoding="utf-8")
    cut = len(text) - len(bench._held_out(data_dir / "tiny_shakespeare" / "input.txt"))
    counts = np.bincount(np.frombuffer(text[:cut].encode(), np.uint8), minlength=256)
    asked = np.frombuffer(text[cut:].encode(), np.uint8)
    nats = -np.log(counts[asked] / counts.sum()).mean()
    assert nats == pytest.approx(bench.UNIGRAM, abs=5e-4)
