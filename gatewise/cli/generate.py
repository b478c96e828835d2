"""`gatewise generate`: a saved language model writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..errors import InputError


def generate(
    model: Path,
    *,
    prompt: str = "",
    most: int = 500,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    repetition: float = 1.0,
    stop: tuple[str, ...] = (),
    seed: int | None = None,
) -> None:
    """Write text with a saved language model, to standard output as it comes.

    Args:
        model: Folder of a language model that `gatewise fit` saved.
        prompt: What the text begins with.
        most: Tokens to write at most; 0 to write until the model ends the text.
        temperature: Below 1 for likely tokens, above 1 for unlikely ones; 0 for the likeliest.
        top_k: Only so many of the likeliest tokens; 0 for all.
        top_p: Only the likeliest tokens that together have this probability.
        repetition: Factor above 1 by which tokens written lately become less likely.
        stop: Texts at which to stop.
        seed: For the same text every time.

    Example:
        $ gatewise generate plays.model --prompt "ROMEO:" --temperature 0.8
    """
    from ..decoders.sampling_spec import Sampling
    from ..tasks import load

    sampling = Sampling(
        temperature=temperature, top_k=top_k, top_p=top_p, repetition=repetition, seed=seed
    )
    if most < 0:
        raise InputError(f"--most is {most}: give a whole number, 0 for no limit")
    loaded: Any = load(model)
    if not hasattr(loaded, "generate"):
        raise InputError(
            f"{model} holds a {type(loaded).__name__}, which writes no text: fit a language-model"
        )
    sys.stdout.write(prompt)
    for piece in loaded.stream(prompt, sampling, most=most or None, stop=stop):
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")
