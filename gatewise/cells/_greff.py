"""The variants of the LSTM that Greff et al. compared, as one family."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..compiler import Cell
from ._cifg import cifg
from ._fgr import fgr
from ._lstm import lstm
from ._nfg import nfg
from ._niaf import niaf
from ._nig import nig
from ._noaf import noaf
from ._nog import nog
from ._peephole_lstm import peephole_lstm

GREFF: Mapping[str, Cell] = MappingProxyType(
    {
        "V": peephole_lstm,
        "NIG": nig,
        "NFG": nfg,
        "NOG": nog,
        "NIAF": niaf,
        "NOAF": noaf,
        "CIFG": cifg,
        "NP": lstm,
        "FGR": fgr,
    }
)
"""The vanilla LSTM, V, and its eight variants by the paper's names, each with one change.

All but NP, which is the change, have peepholes. Greff et al., LSTM: A Search Space Odyssey, 2017
(https://arxiv.org/abs/1503.04069), section 3.

Example:
    >>> from gatewise.cells import GREFF
    >>> [name for name, cell in GREFF.items() if not cell.weights]
    ['NP']
"""
