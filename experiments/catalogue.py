"""Which experiments there are; one file each."""

from __future__ import annotations

import importlib

from gatewise.errors import InputError, nearest

from .experiment import Experiment

NAMES = (
    "hochreiter1997",
    "rnn_against_lstm",
    "goodfellow2016",
    "olah2015",
    "jozefowicz2015",
    "pascanu2013",
    "greff2017",
    "cho2014",
)


def by_name(name: str) -> Experiment:
    """Look an experiment up.

    Raises:
        InputError: There is none of that name.

    Example:
        >>> by_name("olah2015").papers[0].year
        2015
    """
    if name not in NAMES:
        raise InputError(f"there is no experiment {name!r}: {nearest(name, NAMES)}")
    return importlib.import_module(f"{__package__}.{name}").EXPERIMENT
