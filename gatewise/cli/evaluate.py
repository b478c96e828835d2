"""`gatewise evaluate`: a saved model's figures on data with known answers."""

from __future__ import annotations

import json as _json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._atomic import write_whole
from .files import taken
from .output import check_file, tell

if TYPE_CHECKING:
    from ..evaluation.verdict import Verdict


def evaluate(model: Path, data: Path, *more: Path, json: Path | None = None) -> None:
    """Judge a saved model on data with known answers, beside the baselines.

    Args:
        model: Folder of a model that `gatewise fit` saved.
        data: File with the answers in it, of the kind that the model was fitted on.
        more: Further files, where a model takes more than one: the translations, for instance.
        json: File to write the figures to.

    Example:
        $ gatewise evaluate questions.model test.csv --json figures.json
    """
    if json is not None:
        check_file(json, (".json",), "--json")
    from ..tasks import load

    loaded = load(model)
    verdict = loaded.evaluate(*taken(type(loaded), [data, *more]))
    print(verdict)
    if json is not None:
        write_whole(json, _text(verdict).encode())
        tell(f"wrote {json}")


def _text(verdict: Verdict) -> str:
    """The model's own figures by name, the baselines' by row, as JSON without NaN."""
    rows = {name: _finite(row) for name, row in verdict.table.items()}
    own = next(iter(rows), None)
    held: dict[str, Any] = {
        "figures": rows.pop(own) if own is not None else {},
        "baselines": rows,
        "sentences": list(verdict.sentences),
    }
    return _json.dumps(held, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _finite(row: Any) -> dict[str, float | None]:
    return {k: float(v) if math.isfinite(v) else None for k, v in row.items()}
