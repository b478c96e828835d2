"""One table of what the tasks reach, from the files that the benchmarks wrote.

python -m benchmarks.summary results/*.json --readme README.md
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewise.errors import InputError

from .harness import table
from .pages import insert, marks

NAME = "figures"


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        benchmark: That measured it.
        figure: Its name there.
        data: What was learned, and what it was judged on.
        metric: What was counted.
        beside: Name of a simple answer to its figure in the same run.
        percent: Whether it is shown as a percentage.
    """

    benchmark: str
    figure: str
    data: str
    metric: str
    beside: Mapping[str, str]
    percent: bool = False


LINES = (
    Line("m4_hourly", "mase", "M4 hourly, 48 hours ahead", "MASE, less is better",
         {"seasonal naive": "seasonal_naive_mase"}),
    Line("etth1", "mse", "ETTh1, 24 hours ahead", "MSE, less is better", {"linear": "linear_mse"}),
    Line("anomaly", "nab_detector_smoothed_vus_pr", "NAB, seven known causes", "VUS-PR",
         {"z scores smoothed": "nab_z_smoothed_vus_pr", "PCA": "nab_pca_vus_pr",
          "seasonal naive smoothed": "nab_seasonal_naive_smoothed_vus_pr",
          "random": "nab_random_vus_pr"}),
    Line("anomaly", "nab_detector_surprise_nab", "NAB, 14 series", "NAB score",
         {"windowed Gaussian": "nab_windowed_gaussian_nab", "random": "nab_random_nab"}),
    Line("classification", "japanese_vowels_accuracy", "Japanese Vowels, true lengths", "accuracy",
         {"mean and variance": "japanese_vowels_mean_and_variance_accuracy"}, percent=True),
    Line("classification", "ucr_accuracy", "GunPoint, ItalyPowerDemand, ArrowHead, OSULeaf",
         "accuracy, mean", {"nearest by time warping": "ucr_nearest_by_dtw_accuracy",
                            "mean and variance": "ucr_mean_and_variance_accuracy"}, percent=True),
    Line("classification", "trec_accuracy", "TREC, from scratch", "accuracy",
         {"bag of words": "trec_bag_of_words_accuracy"}, percent=True),
    Line("classification", "sst2_accuracy", "SST-2, from scratch", "accuracy",
         {"bag of words": "sst2_bag_of_words_accuracy"}, percent=True),
    Line("transfer", "error_transfer_500", "TREC, 500 labels, on language models of other texts",
         "error, less is better",
         {"from scratch": "error_scratch_500",
          "the same layers untaught": "error_same_network_500"}, percent=True),
    Line("classification", "peptides_auc", "Antimicrobial peptides", "AUC",
         {"bag of words": "peptides_bag_of_words_auc"}),
    Line("tagging", "ud_upos", "UD English EWT, 2,001 sentences", "UPOS accuracy",
         {"most frequent tag": "ud_most_frequent_tag"}, percent=True),
    Line("tagging", "cb513_q3", "CB513, from sequence alone", "Q3",
         {"majority": "cb513_majority_q3"}, percent=True),
    Line("tagging", "cb513_q8", "CB513, from sequence alone", "Q8",
         {"majority": "cb513_majority_q8"}, percent=True),
    Line("language_model", "nats_3_minutes", "tiny Shakespeare, 3 minutes",
         "nats per character, less is better",
         {"5-gram": "nats_5_gram", "unigram": "nats_unigram"}),
    Line("language_model", "nats_30_minutes", "tiny Shakespeare, 30 minutes",
         "nats per character, less is better",
         {"5-gram": "nats_5_gram", "unigram": "nats_unigram"}),
    Line("translation", "multi30k_bleu", "Multi30k, German to English", "BLEU",
         {"word by word": "multi30k_word_by_word_bleu"}),
    Line("translation", "dates_exact", "Dates, rewritten", "exact",  {}, percent=True),
    Line("dialogue", "recall_at_1", "Chatterbot pairs, new topics", "right of 10",
         {"TF-IDF": "tf_idf_recall_at_1",
          "TF-IDF of pieces and all turns": "tf_idf_pieces_all_turns_recall_at_1"}, percent=True),
)  # fmt: skip


def rows(records: Iterable[Mapping]) -> list[dict[str, object]]:
    """The lines whose figures are in the records.

    Example:
        >>> record = {"benchmark": "etth1", "figures": {"mse": 0.29, "linear_mse": 0.315}}
        >>> rows([record])[0]["beside it"]
        'linear 0.315'
    """
    figures: dict[str, dict[str, float]] = {}
    for record in records:
        figures.setdefault(record["benchmark"], {}).update(record["figures"])
    shown = []
    for line in LINES:
        held = figures.get(line.benchmark, {})
        if line.figure not in held:
            continue
        beside = {n: held[key] for n, key in line.beside.items() if key in held}
        shown.append({
            "data": line.data,
            "measure": line.metric,
            "ours": _shown(held[line.figure], line.percent),
            "beside it": ", ".join(f"{n} {_shown(v, line.percent)}" for n, v in beside.items()),
            "command": f"`benchmarks.{line.benchmark}`",
        })  # fmt: skip
    return shown


def _shown(value: float, percent: bool) -> str:
    return f"{100 * value:.1f} %" if percent else f"{value:.3g}" if value < 1 else f"{value:.4g}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, and write it into a page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.summary", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="what benchmarks wrote with --json")
    parser.add_argument("--readme", type=Path, help=f"page with the lines {marks(NAME)}")
    asked = parser.parse_args(argv)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in asked.files]
    shown = table(rows(records))
    print(shown)
    if asked.readme is not None:
        commits = sorted({(record.get("commit") or "")[:7] for record in records} - {""})
        said = f"Means over the seeds; commits {', '.join(commits)}."
        try:
            insert(asked.readme, {NAME: shown}, said)
        except InputError as wrong:
            print(f"benchmarks.summary: {wrong}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
