"""Tagging: protein secondary structure from sequence alone, and parts of speech from little text.

CB513: the states of the residues of 432 chains, 3 (Q3) and 8 (Q8) at once. A fifth of the groups
of related chains, drawn with a fixed seed, is the test part, where a residue counts if
`cb513_mask` says so; of the other chains every residue with a known structure is learned from. UD
English EWT: fitted on its dev part, 2,001 sentences, and judged on its test part. Settings were
chosen with `--validate`, on a part of what is fitted on.
"""

from __future__ import annotations

import argparse
import random
import time
from typing import Any

from gatewise import Encoder, Trainer
from gatewise.data import TagColumns
from gatewise.data.tagging.tagged import Tagged
from gatewise.datasets import cb513, ud_english_ewt
from gatewise.nn import TokenFeatures
from gatewise.tasks import SequenceTagger
from gatewise.tasks.tag_measure import LOOKED_UP, MAJORITY

from .harness import Benchmark, Options, Result, over_seeds

SETS = ("cb513", "ud")
SPLIT_SEED = 513
VALIDATED = "Judged on a fifth of the training part, to choose settings by."

STRUCTURE: dict[str, Any] = {
    "decoding": "marginal",
    "encoder": Encoder(hidden_size=128, num_layers=2, dropout=0.5, bidirectional=True),
    "features": TokenFeatures(size=32, dropout=0.4, replace=0.3),
}
STRUCTURE_TRAINER: dict[str, Any] = {"batch_size": 8, "max_epochs": 40, "average": 0.995}

SPEECH: dict[str, Any] = {"columns": TagColumns(label=("upos", "xpos"))}
SPEECH_TRAINER: dict[str, Any] = {"batch_size": 32, "max_epochs": 15}


def measure(options: Options) -> Result:
    """Fit taggers on CB513 and on UD English EWT, and judge them on the test parts."""
    result = Result({}, notes=[VALIDATED] if options.own.validate else [])
    for name in options.own.only:
        train, test = PARTS[name](options)
        if options.own.validate:
            train, test = parted(train, 0.2, 7)
        found = over_seeds(options.seeds, lambda seed, n=name, a=train, b=test: run(n, a, b, seed))
        result.figures |= found.figures
        result.rows += [{"set": name, **row} for row in found.rows]
    return result


def run(name: str, train: Tagged, test: Tagged, seed: int) -> dict[str, float]:
    """Fit with one seed on all that there is to fit on, and judge."""
    started = time.perf_counter()
    params, trainer = SETTINGS[name]
    model = SequenceTagger(**params, holdout=0.0, trainer=Trainer(seed=seed, **trainer)).fit(train)
    seconds = time.perf_counter() - started
    table = model.evaluate(test).table
    own, majority = table["model"], table[MAJORITY]
    figures = {"seconds": seconds}
    if name == "cb513":
        figures |= {"q3": own["accuracy"], "q8": own["dssp8_accuracy"]}
        figures |= {"segment_overlap": own["segment_overlap"]}
        figures |= {"majority_q3": majority["accuracy"], "majority_q8": majority["dssp8_accuracy"]}
    else:
        figures |= {"upos": own["accuracy"], "unseen_words": own["unseen_accuracy"]}
        figures |= {"most_frequent_tag": table[LOOKED_UP]["accuracy"]}
    return {f"{name}_{metric}": value for metric, value in figures.items()}


def structure_parts(options: Options) -> tuple[Tagged, Tagged]:
    """The fixed split of CB513 by groups of related chains."""
    root = options.folder("cb513").parent
    train, _ = parted(cb513(root, every=True), 0.2, SPLIT_SEED)
    return train, parted(cb513(root), 0.2, SPLIT_SEED)[1]


def speech_parts(options: Options) -> tuple[Tagged, Tagged]:
    """The dev part to fit on, the test part to judge on."""
    root, labels = options.folder("ud_english_ewt").parent, SPEECH["columns"].label
    return ud_english_ewt("dev", root, labels), ud_english_ewt("test", root, labels)


def parted(tagged: Tagged, share: float, seed: int) -> tuple[Tagged, Tagged]:
    """Draw a share of the groups, or of the sequences, as the second part."""
    groups = tagged.groups or tuple(range(len(tagged)))
    names = sorted(set(groups))
    drawn = set(random.Random(seed).sample(names, round(share * len(names))))
    first = [i for i, group in enumerate(groups) if group not in drawn]
    return tagged.take(first), tagged.take([i for i, g in enumerate(groups) if g in drawn])


def gate(result: Result) -> str | None:
    """What any careful program finds by looking words up, and by the most frequent state."""
    for name, wanted in KNOWN.items() if VALIDATED not in result.notes else ():
        found = result.figures.get(name, wanted)
        if abs(found - wanted) > 5e-4:
            return f"{name} is {found:.4f} and should be {wanted:.4f}"
    return None


PARTS = {"cb513": structure_parts, "ud": speech_parts}
SETTINGS = {"cb513": (STRUCTURE, STRUCTURE_TRAINER), "ud": (SPEECH, SPEECH_TRAINER)}
KNOWN = {
    "ud_most_frequent_tag": 0.8115,
    "cb513_majority_q3": 0.4460,
    "cb513_majority_q8": 0.2824,
}
"""As anybody finds by looking words up in the dev part, and by counting states of the test part."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS), help="which sets")
    parser.add_argument(
        "--validate", action="store_true", help="judge on a part of the training part instead"
    )


if __name__ == "__main__":
    raise SystemExit(Benchmark("tagging", measure, gate, (0, 1, 2), arguments).main())
