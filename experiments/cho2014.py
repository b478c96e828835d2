"""Cho et al. 2014: the gated recurrent unit, both of them, and the encoder-decoder."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F

from gatewise.nn import Recurrent

from .experiment import Budget, Experiment, Paper, Row, Rows, Setting, distinct, seeded, where
from .networks.encoder_decoder import EncoderDecoder
from .tasks.number_words import DIGITS, WORDS, Pairs, pairs, split

CELLS = {"reset after the product (v1)": "gru", "reset before it (v3)": "gru_reset_before"}
SIZES = {"smoke": (100, 10, 32, 100), "modern": (10_000, 1000, 128, 4000)}
"""Numbers below which bound, how many held out, units, updates."""

EVERY = 100
ENOUGH, CLOSE = 0.95, 1e-12


def run(setting: Setting) -> list[Row]:
    """Compare the two units with other implementations, and train an encoder-decoder of each."""
    measure = {"units": lambda name, seed: _unit(name, seed),
               "number words": lambda name, seed: _words(name, seed, setting.budget)}  # fmt: skip
    return [
        {"part": part, "model": name, "seed": seed, **measure[part](name, seed)}
        for part in setting.parts
        for name in CELLS
        for seed in setting.seeds
    ]


def _unit(name: str, seed: int) -> Row:
    """The largest difference of a layer's outputs to a transcription, and to torch's GRU."""
    with seeded(seed):
        layer = Recurrent(CELLS[name], 3, 5, dtype=torch.float64)
        for weight in layer.parameters():
            torch.nn.init.normal_(weight)
        x = torch.randn(2, 7, 3, dtype=torch.float64)
        theirs = torch.nn.GRU(3, 5, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        y = layer(x)[0].numpy()
        theirs.load_state_dict(layer.state_dict())
        torchs = theirs(x)[0].numpy()
    own = transcribed(x.numpy(), layer, before=CELLS[name] == "gru_reset_before")
    return {"to_paper": float(np.abs(y - own).max()), "to_torch": float(np.abs(y - torchs).max())}


def transcribed(x: np.ndarray, layer: Recurrent, *, before: bool) -> np.ndarray:
    """The paper's unit in NumPy, with the new state weighted by `1 - z`.

    Args:
        x: Inputs, [batch, time, input].
        layer: Whose weights to take.
        before: Whether the reset gate multiplies the state before the product, or after it.
    """
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    w, u, b, d = (getattr(layer, name).detach().numpy() for name in names)
    h = np.zeros((len(x), layer.hidden_size))
    outputs = []
    for now in np.moveaxis(x, 1, 0):
        wr, wz, wn = np.split(now @ w.T + b, 3, -1)
        ur, uz, un = np.split(h @ u.T + d, 3, -1)
        r, z = 1 / (1 + np.exp(-(wr + ur))), 1 / (1 + np.exp(-(wz + uz)))
        un = (r * h) @ np.split(u, 3)[2].T + np.split(d, 3)[2] if before else r * un
        h = z * h + (1 - z) * np.tanh(wn + un)
        outputs.append(h)
    return np.stack(outputs, 1)


def _words(name: str, seed: int, budget: str) -> Row:
    """The share of held-out numbers that are written without a mistake."""
    below, held_out, units, updates = SIZES[budget]
    train, test = split(below, held_out, seed)
    with seeded(seed) as rng:
        network = EncoderDecoder(CELLS[name], len(WORDS), len(DIGITS) + 1, units)
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
        match, at = 0.0, updates
        for update in range(1, updates + 1):
            _learn(network, optimizer, pairs(rng.choice(train, 64)))
            falling.step()
            if update % EVERY == 0:
                match = exact(network, pairs(test))
                if match == 1.0:
                    at = update
                    break
    return {"match": match, "updates": at, "train": len(train), "test": len(test)}


def _learn(network: EncoderDecoder, optimizer: torch.optim.Optimizer, batch: Pairs) -> None:
    target = torch.from_numpy(batch.target)
    y = network(torch.from_numpy(batch.source), torch.from_numpy(batch.lengths), target)
    wanted = torch.from_numpy(batch.wanted)
    loss = F.cross_entropy(y[wanted], target[wanted])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def exact(network: EncoderDecoder, batch: Pairs) -> float:
    """The share of sources whose whole target is written."""
    lengths = torch.from_numpy(batch.lengths)
    found = network.write(torch.from_numpy(batch.source), lengths, batch.target.shape[1])
    return float((found.numpy() == batch.target).all(1).mean())


def summary(rows: Rows) -> list[Row]:
    """A line a unit: its differences to others, then what its encoder-decoder does."""
    lines: list[Row] = []
    for (name,) in distinct(rows, "model"):
        line: Row = {"unit": name, "cell": CELLS[name]}
        for found, shown in (("to_paper", "to a transcription"), ("to_torch", "to torch.nn.GRU")):
            own = [cast(float, row[found]) for row in where(rows, model=name, part="units")]
            if own:
                line[f"largest difference {shown}"] = f"{max(own):.1e}"
        own = where(rows, model=name, part="number words")
        if own:
            matches = [cast(float, row["match"]) for row in own]
            line |= {
                "numbers held out": own[0]["test"],
                "written exactly, mean": float(np.mean(matches)),
                "least of seeds": min(matches),
            }
        lines.append(line)
    return lines


def criteria(rows: Rows) -> list[tuple[str, bool]]:
    """Both units are what they are said to be, and both write numbers."""
    found: list[tuple[str, bool]] = []
    for (name,) in distinct(rows, "model"):
        units = where(rows, model=name, part="units")
        if units:
            far = max(cast(float, row["to_paper"]) for row in units)
            found.append((f"{name}: equal to the transcription ({far:.0e})", far < CLOSE))
            torchs = [cast(float, row["to_torch"]) for row in units]
            if CELLS[name] == "gru":
                sentence = f"{name}: equal to torch's GRU ({max(torchs):.0e})"
                found.append((sentence, max(torchs) < CLOSE))
            else:
                sentence = f"{name}: not torch's GRU, by {min(torchs):.2f} at least"
                found.append((sentence, min(torchs) > 1e-3))
        words = where(rows, model=name, part="number words")
        if words and cast(int, words[0]["test"]) >= 1000:
            least = min(cast(float, row["match"]) for row in words)
            sentence = f"{name}: more than 95 % of held-out numbers exact ({least:.1%} at least)"
            found.append((sentence, least > ENOUGH))
    return found


EXPERIMENT = Experiment(
    name="cho2014",
    title="Which gated recurrent unit is the paper's, and does its encoder-decoder work?",
    papers=(
        Paper(
            "Cho et al.",
            2014,
            "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine "
            "Translation",
            "https://arxiv.org/abs/1406.1078",
        ),
    ),
    budgets={
        "smoke": Budget("Numbers below 100.", ("units", "number words"), 1),
        "modern": Budget("Number words up to 9,999 to digits.", ("units", "number words"), 2),
    },
    run=run,
    summary=summary,
    criteria=criteria,
    reading=(
        "The first version of the paper resets the state after the product with the recurrent "
        "weights, as torch and cuDNN do; the published one before it, as ONNX and Keras can. The "
        "same weights give other outputs, so a loader has to know which. The encoder-decoder reads "
        "a number's words into one vector and writes its digits from it; the numbers of the test "
        "were not seen."
    ),
    deviations=(
        "Instead of rescoring phrases for translation (BLEU 33.30 to 34.64 in the paper) the "
        "network writes numbers; 128 units instead of 1,000, Adam instead of Adadelta.",
    ),
)
