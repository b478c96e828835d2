"""`gatewise evaluate`: a saved model's figures on data with known answers."""

from __future__ import annotations

import json as _json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._atomic import write_whole
from ..errors import InputError
from .files import taken
from .output import check_file, tell

if TYPE_CHECKING:
    from ..evaluation.verdict import Verdict


def evaluate(
    model: Path,
    data: Path,
    *more: Path,
    json: Path | None = None,
    dynamic: float | None = None,
    cache: int | None = None,
    cache_share: float | None = None,
    cache_sharpness: float | None = None,
) -> None:
    """Judge a saved model on data with known answers, beside the baselines.

    Args:
        model: Folder of a model that `gatewise fit` saved.
        data: File with the answers in it, of the kind that the model was fitted on.
        more: Further files, where a model takes more than one: the translations, for instance.
        json: File to write the figures to.
        dynamic: Rate at which the weights of a language model follow the text, each window after
            it was judged (Krause et al. 2018, https://arxiv.org/abs/1709.07432, say 2e-4).
        cache: Tokens back to which a language model looks up what came next in a like place (Grave
            et al. 2017, https://arxiv.org/abs/1612.04426); 2000 to begin with.
        cache_share: Weight of that beside the model; 0.1 where it is left out.
        cache_sharpness: Factor of the likeness of two places; 0.3 where it is left out.

    Example:
        $ gatewise evaluate questions.model test.csv --json figures.json
    """
    if json is not None:
        check_file(json, (".json",), "--json")
    shape = {"share": cache_share, "sharpness": cache_sharpness}
    options = _options(dynamic, cache, {k: v for k, v in shape.items() if v is not None})
    from ..tasks import load

    loaded = load(model)
    verdict = loaded.evaluate(*taken(type(loaded), [data, *more]), **options)
    print(verdict)
    if json is not None:
        write_whole(json, _text(verdict).encode())
        tell(f"wrote {json}")


def _options(dynamic: float | None, cache: int | None, shape: dict[str, float]) -> dict[str, Any]:
    """What a language model is judged with beside its files."""
    options: dict[str, Any] = {}
    if dynamic is not None:
        from ..train.dynamic import Dynamic

        options["dynamic"] = Dynamic(dynamic)
    if cache is not None:
        from ..decoders.neural_cache import Cache

        options["cache"] = Cache(cache, **shape)
    elif shape:
        raise InputError(f"--cache-{next(iter(shape))} is of a cache: give --cache as well")
    return options


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
