"""Translation: Multi30k from German to English, and rewriting whose right answer is known."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatewise.data.text.tokens_spec import Tokens
from gatewise.nn.layers.encoder import Encoder
from gatewise.nn.networks.writer import Writer
from gatewise.tasks.translation import Translator
from gatewise.train.adamw import AdamW
from gatewise.train.sampler import Sampler
from gatewise.train.spec import Trainer

from . import rewriting
from .harness import Benchmark, Options, Result, over_seeds, positive

WANTED = 0.9
"""Exact matches below which something is broken, rather than trained too little."""

TRIED = 12
"""Steps that tell how long one takes."""

CAPTIONS = Tokens("subword", size=5000)
"""What captions are cut into: 29,000 short sentences do not fill the default of 8,000."""

PARTS = ("multi30k", "attention", *rewriting.MADE)


def measure(options: Options) -> Result:
    """Translate Multi30k's test_2016_flickr, and rewrite numbers, dates and letters never seen."""
    result = Result({})
    own = {"multi30k": multi30k, "attention": attention}
    for name in options.own.only or PARTS:
        found = own[name](options) if name in own else rewritten(name, options)
        result.figures |= found.figures
        result.rows += found.rows
        result.notes += found.notes
    return result


def multi30k(options: Options) -> Result:
    """BLEU on the test part, trained on the train part alone, by the Translator's own choices."""
    folder = options.folder("multi30k_de_en")
    train = [folder / f"train.{side}.gz" for side in ("de", "en")]
    model = captions(options)
    began, worked = time.perf_counter(), time.process_time()
    model.fit(*train, progress=False, log=_beside(options, "multi30k.jsonl"))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    if (place := _beside(options, "multi30k")) is not None:
        model.save(place)
    result = Result({"multi30k_seconds": seconds, "multi30k_cpu_seconds": worked})
    result.notes.append(
        f"multi30k: {model.history_.stopped[-1]}; the fit took {seconds / 60:.1f} minutes, "
        f"{worked / 60:.1f} of them on a processor"
    )
    for part in ("val", "test_2016_flickr"):
        files = [folder / f"{part}.{side}.gz" for side in ("de", "en")]
        for name, row in model.evaluate(*files).table.items():
            result.rows.append({"task": f"multi30k {part}", "method": name, **row})
            if part != "val":
                result.figures |= {f"{_figure(name)}_{metric}": v for metric, v in row.items()}
    return result


def captions(options: Options) -> Translator:
    """The translator of captions: the size of the vocabulary is all that is set."""
    seed = options.seeds[0] if options.seeds else 0
    model = Translator(CAPTIONS, trainer=Trainer(seed=seed))
    if options.own.minutes is None:
        return model
    folder = options.folder("multi30k_de_en")
    each = seconds_per_step(model, folder / "train.de.gz", folder / "train.en.gz")
    steps = max(100, round(60 * options.own.minutes / each))
    return model.set_params(trainer=replace(model.trainer, max_steps=steps))


def seconds_per_step(model: Translator, source: Path, target: Path) -> float:
    """Time a few training steps."""
    data = model.data()
    fold = data.fit(source, target)
    task = model.task(data)
    optimizer = AdamW(list(task.network.parameters()), betas=(0.9, 0.98), weight_decay=0.0)
    size = model.trainer.resolve(task.defaults).batch_size or 1
    sampler = Sampler(len(fold.train), size, lengths=fold.train.lengths, seed=0)
    task.network.train()
    began = 0.0
    for number, rows in enumerate(sampler.epoch(0)[: TRIED + 3]):
        if number == 3:  # the first steps compile kernels
            began = time.perf_counter()
        batch = fold.train.batch(rows)
        optimizer.zero_grad()
        task.objective(task.network(batch), batch).backward()
        optimizer.step(1e-6)
    return (time.perf_counter() - began) / TRIED


def attention(options: Options) -> Result:
    """BLEU on Multi30k's test part with and without attention, both trained alike and briefly."""
    folder = options.folder("multi30k_de_en")
    train, test = (
        [folder / f"{part}.{side}.gz" for side in ("de", "en")]
        for part in ("train", "test_2016_flickr")
    )
    result, steps = Result({}), options.own.short
    trainer = Trainer(seed=options.seeds[0] if options.seeds else 0, max_steps=steps)
    for name, looks in (("with", "multiplicative"), ("without", "none")):
        model = Translator(CAPTIONS, writer=Writer(attention=looks), trainer=trainer)
        model.fit(*train, progress=False)
        row = model.evaluate(*test).table["model"]
        result.figures[f"short_{name}_attention_bleu"] = row["bleu"]
        result.rows.append({"task": "multi30k test", "method": f"{name} attention, short", **row})
    result.notes.append(f"what attention is worth: both were trained for {steps} steps only")
    return result


def rewritten(name: str, options: Options) -> Result:
    """Exact matches on forms that were not trained on, a run a seed."""

    def run(seed: int) -> dict[str, float]:
        train, test = rewriting.parts(name, options.own.pairs, options.own.test, seed)
        began = time.perf_counter()
        model = rewriter(name, seed, options.own.steps).fit(train, progress=False)
        seconds = time.perf_counter() - began
        table = model.evaluate(test).table
        return {f"{name}_exact": table["model"]["exact"], f"{name}_seconds": seconds}

    result = over_seeds(options.seeds, run)
    result.rows = [
        {"task": name, "method": f"seed {row['seed']}", "exact": row[f"{name}_exact"]}
        for row in result.rows
        if isinstance(row["seed"], int)
    ]
    return result


def rewriter(name: str, seed: int, steps: int) -> Translator:
    """A small translator of characters; numbers are read word by word."""
    return Translator(
        Tokens("word" if name == "numbers" else "char"),
        Tokens("char"),
        encoder=Encoder(hidden_size=64, bidirectional=True, dropout=0.1),
        writer=Writer(embedding=64, dropout=0.1),
        trainer=Trainer(max_steps=steps, patience=0, seed=seed),
    )


def gate(result: Result) -> str | None:
    """Attention beats its absence and the baselines, and rewriting is nearly right."""
    figures = result.figures
    for name in rewriting.MADE:
        if figures.get(f"{name}_exact", 1.0) < WANTED:
            return f"{name}: only {figures[f'{name}_exact']:.3f} are right, which is broken"
    if figures.get("multi30k_bleu", 100.0) < figures.get("multi30k_word_by_word_bleu", 0.0):
        return "multi30k: a word by word translation is better"
    return None


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this benchmark knows."""
    parser.add_argument("--only", nargs="+", choices=PARTS, help="leave out the other parts")
    parser.add_argument(
        "--minutes", type=float, help="training of multi30k; the model's own choice else"
    )
    parser.add_argument(
        "--short", type=positive, default=1000, help="steps with and without attention"
    )
    parser.add_argument("--pairs", type=positive, default=10_000, help="made pairs to train on")
    parser.add_argument("--test", type=positive, default=2000, help="made pairs to test on")
    parser.add_argument("--steps", type=positive, default=2500, help="training of made pairs")
    parser.add_argument("--models", type=Path, help="folder for the model of multi30k and its log")


def _beside(options: Options, name: str) -> Any:
    folder = options.own.models
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return None if folder is None else folder / name


def _figure(method: str) -> str:
    return "multi30k" if method == "model" else f"multi30k_{method.replace(' ', '_')}"


if __name__ == "__main__":
    packages = ("gatewise", "torch", "numpy", "sacrebleu", "tokenizers")
    raise SystemExit(Benchmark("translation", measure, gate, (0,), arguments, packages).main())
