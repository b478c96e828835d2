"""Tags in the form that the sequences came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .tagged import Tagged


def given_back(tagged: Tagged, tags: Mapping[str, list[str]], answers: Sequence[Any]) -> Any:
    """Give tags as lists for lists, as columns for a file, as a frame for a frame.

    Args:
        tagged: The sequences that were asked about.
        tags: Name of each set to its tags.
        answers: One for each batch, and of these one for each set: numbers of the chosen tags,
            [batch, time], and the probability of each tag, [batch, time, tags].

    Returns:
        For lists a list of tags for each sequence, by name where there are several sets; else
        columns `series`, `token`, and for each set its tag and its probability.
    """
    chosen: dict[str, list[list[str]]] = {}
    chances: dict[str, list[np.ndarray]] = {}
    for k, (name, names) in enumerate(tags.items()):
        chosen[name], chances[name] = [], []
        for path, probability in per_sequence(tagged, [answer[k] for answer in answers]):
            chosen[name].append([names[t] for t in path.tolist()])
            chances[name].append(probability[np.arange(len(path)), path])
    if tagged.kind == "list":
        return next(iter(chosen.values())) if len(chosen) == 1 else chosen
    return _frame(tagged, _columns(tagged, chosen, chances))


def per_sequence(tagged: Tagged, answers: Sequence[Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut one set's batches into sequences without padding: tags [time], chances [time, tags]."""
    rows = [
        (path.cpu().numpy(), chance.cpu().numpy())
        for paths, probabilities in answers
        for path, chance in zip(paths, probabilities, strict=True)
    ]
    return [
        (path[:length], chance[:length])
        for (path, chance), length in zip(rows, tagged.lengths.tolist(), strict=True)
    ]


def _columns(
    tagged: Tagged, chosen: Mapping[str, list[list[str]]], chances: Mapping[str, list[np.ndarray]]
) -> dict[str, np.ndarray]:
    names = np.array(tagged.names, dtype=object)
    columns = {tagged.columns.get("series", "series"): np.repeat(names, tagged.lengths)}
    if tagged.tokens is not None:
        flat = [token for tokens in tagged.tokens for token in tokens]
        columns[tagged.columns.get("token", "token")] = np.array(flat, dtype=object)
    one = len(chosen) == 1
    for name, sequences in chosen.items():
        flat = [tag for tags in sequences for tag in tags]
        columns["label" if one else name] = np.array(flat, dtype=object)
        rounded = np.concatenate(chances[name]).astype(np.float64).round(6)
        columns["probability" if one else f"{name}_probability"] = rounded
    return columns


def _frame(tagged: Tagged, columns: dict[str, np.ndarray]) -> Any:
    plain = {n: v.tolist() if v.dtype == object else v for n, v in columns.items()}
    if tagged.kind == "pandas":
        import pandas

        return pandas.DataFrame(plain)
    if tagged.kind == "polars":
        import polars

        return polars.DataFrame(plain)
    if tagged.kind == "pyarrow":
        import pyarrow

        return pyarrow.table(plain)
    return columns
