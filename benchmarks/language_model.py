"""Tiny Shakespeare, character by character: what is learned in 3 and in 30 minutes, and how fast.

The last tenth of the text is validation, as in char-rnn and nanoGPT, whose documented run on a
laptop's processor ends at 1.88 nats with 0.8 M parameters after about 3 minutes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.nn import functional as F

from gatewise import Encoder, Trainer
from gatewise.data import Tokens
from gatewise.data.language.texts import Texts
from gatewise.decoders.sampling_spec import Sampling
from gatewise.nn.networks.language_spec import Regularization
from gatewise.objectives.language import LanguageLoss
from gatewise.tasks.language_model import LanguageModel
from gatewise.train import run
from gatewise.train.dynamic import Dynamic

from .harness import Benchmark, Options, Result

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("short", "long", "speed", "generation")
WRITTEN = 20_000
STEPS, WARM, REPEATS = 60, 5, 3
WINDOW, HIDDEN, EMBEDDING, RATE, DROP = 64, 256, 64, 4e-3, 0.2
BATCHES = (16, 64)
"""Streams side by side: as few as the small preset has, and many. The few come first: memory that
many have let go of is given to them at once, where otherwise the system is asked for it anew.
Speed is judged by the many."""

LONG = {
    "encoder": Encoder(hidden_size=640, num_layers=2),
    "regularization": Regularization(hidden=0.4, output=0.4),
}
"""What 30 minutes are spent on: the small preset, wider, with more dropped."""


def measure(options: Options) -> Result:
    """Fit language models to tiny Shakespeare, for a given time, and time what they do."""
    text = options.folder("tiny_shakespeare") / "input.txt"
    result = Result({})
    parts = {"short": short, "long": long, "speed": speed, "generation": generation}
    for name in options.own.only:
        parts[name](text, options, result)
    return result


def short(text: Path, options: Options, result: Result) -> None:
    """Three minutes with the defaults."""
    model = _fitted(text, options, "3 minutes", 180.0, {}, result)
    held_out = _held_out(text)
    adapted = model.evaluate(held_out, dynamic=Dynamic()).table
    result.rows.append({"model": "3 minutes, dynamic evaluation", **adapted["dynamic evaluation"]})
    result.figures["nats_3_minutes_dynamic"] = adapted["dynamic evaluation"]["nats_per_token"]
    for line in model.generate("\n", Sampling(0.7, seed=0), most=300).strip().splitlines():
        result.notes.append(f"> {line}")


def long(text: Path, options: Options, result: Result) -> None:
    """Half an hour with a larger network."""
    _fitted(text, options, "30 minutes", 1800.0, LONG, result)


def _fitted(
    text: Path,
    options: Options,
    name: str,
    seconds: float,
    how: dict[str, Any],
    result: Result,
) -> LanguageModel:
    trainer = Trainer(max_seconds=seconds * options.own.share, patience=0)
    model = LanguageModel(trainer=trainer, **how).fit(text)
    weights = sum(w.numel() for w in model.network_.parameters())
    last = model.history_.epochs[-1]
    summary = cast("Any", model.summary_)
    row = summary.table["model"]
    seen = last.step * (model.trainer_.batch_size or 0) * WINDOW
    result.rows.append(
        {"model": name, "parameters": weights, "seconds": last.seconds, "tokens": seen, **row}
    )
    key = name.replace(" ", "_")
    result.figures |= {f"nats_{key}": row["nats_per_token"], f"parameters_{key}": float(weights)}
    for baseline in ("5-gram", "unigram", "gzip", "xz"):
        if not any(r["model"] == baseline for r in result.rows):
            result.rows.append({"model": baseline, **summary.table[baseline]})
    result.figures["nats_unigram"] = summary.table["unigram"]["nats_per_token"]
    result.figures["nats_5_gram"] = summary.table["5-gram"]["nats_per_token"]
    return model


def speed(text: Path, options: Options, result: Result) -> None:
    """Training steps of the same network through the trainer, and in plain PyTorch."""
    data = Texts(Tokens("char"), window=WINDOW)
    fold = data.fit(text)
    tokens = torch.from_numpy(fold.train.tokens.astype("int64"))  # pyright: ignore[reportAttributeAccessIssue]
    for batch in BATCHES:
        plain, ours = [], []
        for _ in range(REPEATS):
            plain.append(_plain(tokens, len(data.vocabulary_), batch))
            ours.append(_ours(data, fold, batch))
        mid = {"gatewise": statistics.median(ours), "PyTorch": statistics.median(plain)}
        for name, rate in mid.items():
            said = f"training, {batch} streams, {name}"
            result.rows.append({"model": said, "tokens_per_second": rate})
        key = "" if batch == max(BATCHES) else f"_{batch}_streams"
        result.figures |= {
            f"training_tokens_per_second{key}": mid["gatewise"],
            f"training_speed_against_pytorch{key}": mid["gatewise"] / mid["PyTorch"],
        }


def _ours(data: Texts, fold: Any, batch: int) -> float:
    task, loss = LanguageModel().task(data), Clocked()
    tokens = (WARM + STEPS + 1) * batch * WINDOW
    how = Trainer(max_steps=WARM + STEPS + 1, batch_size=batch, epoch_examples=tokens)
    train = type(fold)(fold.train, None, fold.digest)
    run(task.network, loss, train, how.resolve(task.defaults), progress=False)
    return STEPS * batch * WINDOW / (loss.times[-1] - loss.times[WARM])


class Clocked:
    """The loss, which notes when it is asked: from one time to the next is a whole step."""

    def __init__(self) -> None:
        self.loss = LanguageLoss()
        self.times: list[float] = []

    def __call__(self, output: Any, batch: Any) -> torch.Tensor:
        """As `LanguageLoss`."""
        self.times.append(time.perf_counter())
        return self.loss(output, batch)


class Plain(nn.Module):
    """The small preset's network, as it is written with PyTorch alone."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(size, EMBEDDING)
        self.first = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.second = nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, size)

    def forward(self, x: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """Scores of the next token, and the state."""
        x, one = self.first(self.embed(x), state and state[0])
        x = F.dropout(x, DROP, self.training)
        y, two = self.second(x, state and state[1])
        return self.head(F.dropout(x + y, DROP, self.training)), (one, two)


def _plain(tokens: torch.Tensor, size: int, batch: int) -> float:
    network = Plain(size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.99), fused=True)
    starts = torch.arange(batch).unsqueeze(1) * (len(tokens) // batch)
    state: Any = None
    started = 0.0
    for step in range(WARM + STEPS):
        if step == WARM:
            started = time.perf_counter()
        places = (starts + step * WINDOW + torch.arange(WINDOW + 1)) % len(tokens)
        row = tokens[places]
        logits, state = network(row[:, :-1], state)
        state = tuple(tuple(part.detach() for part in one) for one in state)
        loss = F.cross_entropy(logits.flatten(0, 1), row[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return STEPS * batch * WINDOW / (time.perf_counter() - started)


def generation(text: Path, options: Options, result: Result) -> None:
    """Characters per second of one stream, two layers of 256 units."""
    how = Trainer(max_steps=20)
    model = LanguageModel(trainer=how, encoder=Encoder(hidden_size=256, num_layers=2))
    model.fit(text.read_text(encoding="utf-8")[:100_000])
    for weights in (None, "bfloat16", "int8"):
        rates = []
        for seed in range(REPEATS):
            pieces = model.stream("\n", Sampling(0.8, seed=seed), most=WRITTEN, weights=weights)
            next(pieces)
            started = time.perf_counter()
            count = sum(len(piece) for piece in pieces)
            rates.append(count / (time.perf_counter() - started))
        name = weights or "float32"
        rate = statistics.median(rates)
        result.rows.append({"model": f"generation, {name}", "tokens_per_second": rate})
        result.figures[f"generation_characters_per_second_{name}"] = rate


def _held_out(text: Path) -> str:
    whole = text.read_text(encoding="utf-8")
    return whole[int(len(whole) * 0.9) :]


def gate(result: Result) -> str | None:
    """Single letters have the surprise that this protocol gives them, to the third digit."""
    found = result.figures.get("nats_unigram", UNIGRAM)
    return None if abs(found - UNIGRAM) < 5e-4 else f"unigrams have {found:.4f} nats"


UNIGRAM = 3.3473
"""Letters of the last tenth by their shares of the rest, as anybody computes it (docs/log.md)."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to measure."""
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    parser.add_argument("--share", type=float, default=1.0, help="share of the time, to try it out")


if __name__ == "__main__":
    raise SystemExit(Benchmark("language_model", measure, gate, arguments=arguments).main())
