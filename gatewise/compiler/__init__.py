"""Equations to a graph, its gradient and its source text; knows no framework."""

from .._lazy import attach as _attach

_NAMES = {
    "Cell": ".value",
    "Draw": ".value",
    "Expr": ".expr",
    "FromInput": ".declare",
    "FromState": ".declare",
    "Gate": ".declare",
    "Hyper": ".declare",
    "Noise": ".declare",
    "Port": ".value",
    "Stage": ".stages",
    "State": ".declare",
    "Weight": ".declare",
    "abs_": ".expr",
    "cell": ".declare",
    "cos": ".expr",
    "equations": ".emit_latex",
    "exp": ".expr",
    "log": ".expr",
    "logsigmoid": ".expr",
    "maximum": ".expr",
    "minimum": ".expr",
    "quiet": ".transform",
    "recurrent_dropout": ".transform",
    "relu": ".expr",
    "sigmoid": ".expr",
    "sin": ".expr",
    "softplus": ".expr",
    "sqrt": ".expr",
    "step_source": ".emit_torch",
    "tanh": ".expr",
    "vjp_source": ".emit_torch",
    "where": ".expr",
    "zoneout": ".transform",
}

__getattr__, __dir__, __all__ = _attach(__name__, _NAMES)
