"""A small example of every task: files to fit on, to ask about and to judge on."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORDS = [*("the", "red", "blue", "small", "big", "cat", "dog"), *("bird", "runs", "sleeps")]
WORDS += ["sings", "here", "there", "now"]


@dataclass(frozen=True)
class Example:
    """How a task is used.

    Args:
        fit: Writes the files to fit on into a folder, and names them.
        params: Constructor arguments beside a short training.
        ask: Writes what `predict` is given; the first file of `fit` when None.
        judge: Writes what `evaluate` is given; the files of `fit` when None.
    """

    fit: Callable[[Path], list[Path]]
    params: dict[str, Any] = field(default_factory=dict)
    ask: Callable[[Path], Path] | None = None


def _table(folder: Path, name: str, header: str, rows: list[str]) -> list[Path]:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return [path]


def series(folder: Path) -> list[Path]:
    """Two series with a week in them."""
    rows = [
        f"{name},2024-{1 + day // 28:02d}-{1 + day % 28:02d},{base + day % 7}"
        for name, base in (("a", 10), ("b", 20))
        for day in range(112)
    ]
    return _table(folder, "series.csv", "series,time,value", rows)


def questions(folder: Path) -> list[Path]:
    """Texts of two kinds."""
    draw = random.Random(0)
    rows = [f"{' '.join(draw.choices(WORDS, k=5))} {k},{k}" for k in ("yes", "no") * 30]
    return _table(folder, "questions.csv", "text,label", rows)


def rated(folder: Path) -> list[Path]:
    """Texts with a number each."""
    draw = random.Random(0)
    texts = [draw.choices(WORDS, k=6) for _ in range(60)]
    rows = [f"{' '.join(t)},{t.count('cat') + 2 * t.count('dog')}" for t in texts]
    return _table(folder, "rated.csv", "text,label", rows)


def labelled_series(folder: Path) -> list[Path]:
    """Sequences of uneven lengths."""
    rows = [f"s{i},{t},{(-1) ** i * t / 10},{i % 3}" for i in range(30) for t in range(5 + i % 4)]
    return _table(folder, "sequences.csv", "series,time,x,y", rows)


def sentences(folder: Path) -> list[Path]:
    """Sentences with a tag for each word."""
    draw = random.Random(0)
    tags = {w: "DET" if w == "the" else "ADJ" if i < 5 else "NOUN" if i < 8 else "VERB"
            for i, w in enumerate(WORDS)}  # fmt: skip
    lines = []
    for _ in range(40):
        chosen = draw.choices(WORDS, k=draw.randint(2, 6))
        lines += [f"{i}\t{w}\t{w}\t{tags[w]}" + "\t_" * 6 for i, w in enumerate(chosen, 1)]
        lines.append("")
    path = folder / "sentences.conllu"
    path.write_text("\n".join(lines), encoding="utf-8")
    return [path]


def prose(folder: Path) -> list[Path]:
    """A text."""
    draw = random.Random(0)
    lines = [" ".join(draw.choices(WORDS, k=8)) + "." for _ in range(120)]
    path = folder / "prose.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [path]


def pairs(folder: Path) -> list[Path]:
    """Lines, and the same lines backwards."""
    draw = random.Random(0)
    lines = [draw.choices(WORDS, k=draw.randint(2, 4)) for _ in range(80)]
    source, target = folder / "pairs.src", folder / "pairs.tgt"
    source.write_text("\n".join(map(" ".join, lines)) + "\n", encoding="utf-8")
    target.write_text("\n".join(" ".join(line[::-1]) for line in lines) + "\n", encoding="utf-8")
    return [source, target]


def turns(folder: Path) -> list[Path]:
    """Questions and their replies."""
    draw = random.Random(0)
    rows = []
    for _ in range(60):
        word = draw.choice(WORDS)
        rows.append(f'{{"turns": ["what about the {word}", "the {word} {draw.choice(WORDS)}"]}}')
    path = folder / "turns.jsonl"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return [path]


EXAMPLES: dict[str, Example] = {
    "AnomalyDetector": Example(series),
    "Autoencoder": Example(labelled_series),
    "Dialogue": Example(turns),
    "Forecaster": Example(series, {"horizon": 3}),
    "LanguageModel": Example(prose),
    "SequenceClassifier": Example(questions),
    "SequenceRegressor": Example(rated),
    "SequenceTagger": Example(sentences),
    "Translator": Example(pairs),
}
