"""A cell's stages as Python source over torch operations."""

from __future__ import annotations

from collections.abc import Sequence

from .expr import Expr, var, walk
from .grad import vjp
from .simplify import simplify
from .stages import Stage
from .text import ARITHMETIC, Form, Writer, argument_names
from .value import Cell

FORMS = ARITHMETIC | {
    "abs": Form("torch.abs({})"),
    "exp": Form("torch.exp({})"),
    "log": Form("torch.log({})"),
    "sqrt": Form("torch.sqrt({})"),
    "sin": Form("torch.sin({})"),
    "cos": Form("torch.cos({})"),
    "floor": Form("torch.floor({})"),
    "sigmoid": Form("torch.sigmoid({})"),
    "tanh": Form("torch.tanh({})"),
    "relu": Form("torch.relu({})"),
    "softplus": Form("-torch.nn.functional.logsigmoid(-{})", 3, (4,)),
    "logsigmoid": Form("torch.nn.functional.logsigmoid({})"),
    "maximum": Form("torch.maximum({}, {})"),
    "minimum": Form("torch.minimum({}, {})"),
    "mean": Form("mean({})"),
    "where": Form("torch.where({} < {}, {}, {})", 4, (1, 1, 0, 0)),
}

_RESERVED = ("torch", "mean")

# Of full shape again: a stage hands on values, and constants are made like them.
_MEAN = """def mean(values):
    return values.mean(-1, keepdim=True).expand_as(values)"""


def step_source(cell: Cell) -> str:
    """Write the forward step: one function `stage_0`, `stage_1`, ... per stage.

    Each takes its stage's `reads` and returns the tuple of what it `computes`, elementwise on
    tensors that broadcast against each other, of any floating dtype and on any device; units lie
    along the last axis.

    Example:
        >>> from gatewise.cells import elman
        >>> print(step_source(elman))
        import torch
        <BLANKLINE>
        <BLANKLINE>
        def stage_0(a):
            h_t = torch.tanh(a)
            return (h_t,)
        <BLANKLINE>
    """
    return _module(cell, [_step(stage, k) for k, stage in enumerate(cell.stages)])


def vjp_source(cell: Cell) -> str:
    """Write the backward step: one function `stage_0_vjp`, ... per stage.

    Each takes its stage's `reads` and then a cotangent for each value that the stage
    computes, in order, and returns the tuple of the gradients of its reads, noise left out.
    Activations are computed anew. The gradient of a read that broadcasts has the shape of the
    result: the engine sums it.

    Example:
        >>> from gatewise.cells import elman
        >>> print(vjp_source(elman))
        import torch
        <BLANKLINE>
        <BLANKLINE>
        def stage_0_vjp(a, d_h_t):
            h_t = torch.tanh(a)
            d_a = d_h_t * (1.0 - h_t * h_t)
            return (d_a,)
        <BLANKLINE>
    """
    return _module(cell, [_vjp(stage, k, cell) for k, stage in enumerate(cell.stages)])


def _step(stage: Stage, k: int) -> str:
    labels = {node: f"{label}_t" for label, node in stage.labels}
    labels |= {o: _result(name) for name, o in stage.computes}
    return _function(f"stage_{k}", stage.reads, stage.outputs, labels, like=[])


def _vjp(stage: Stage, k: int, cell: Cell) -> str:
    cotangents = [f"d_{_result(name)}" for name in stage.names]
    while set(cotangents) & set(stage.reads):
        cotangents = [f"d_{name}" for name in cotangents]
    sought = [name for name in stage.reads if name not in cell.noises]
    wrt = [var(name) for name in sought]
    gradients = vjp(stage.outputs, [var(c) for c in cotangents], wrt)
    named = [(f"{label}_t", node) for label, node in stage.labels]
    named += [(_result(name), node) for name, node in stage.computes]
    named += [(f"d_{name}", node) for name, node in zip(sought, gradients, strict=True)]
    simple = simplify([node for _, node in named])
    labels = {node: name for (name, _), node in zip(named, simple, strict=True)}
    gradients = simple[len(named) - len(wrt) :]
    return _function(f"stage_{k}_vjp", (*stage.reads, *cotangents), gradients, labels, like=wrt)


def _result(name: str) -> str:
    """A new state `c` is written `c_t`; a value that a later stage reads has its name already."""
    handed_on = name.endswith("_t") or (name[0] == "t" and name[1:].isdigit())
    return name if handed_on else f"{name}_t"


def _function(
    name: str, reads: Sequence[str], outputs: Sequence[Expr], labels: dict[Expr, str],
    like: Sequence[Expr],
) -> str:  # fmt: skip
    arguments = argument_names(reads, _RESERVED)
    writer = Writer(FORMS, {var(r): a for r, a in arguments.items()}, _constants)
    lines = writer.lines(outputs, labels, _RESERVED)
    shapes = like or [var(r) for r in reads[:1]] * len(outputs)
    results = [
        f"torch.full_like({writer.text(shape)}, {o.value})" if o.op == "const" else writer.text(o)
        for o, shape in zip(outputs, shapes, strict=True)
    ]
    body = [f"    {left} = {right}" for left, right in lines]
    returned = f"({results[0]},)" if len(results) == 1 else ", ".join(results)
    return "\n".join([f"def {name}({', '.join(arguments.values())}):", *body,
                      f"    return {returned}"])  # fmt: skip


def _constants(writer: Writer, node: Expr) -> tuple[str, int] | None:
    """Give torch tensors where it does not take numbers."""
    constants = [a.op == "const" for a in node.args]
    if node.op in ("maximum", "minimum") and any(constants):
        tensor = writer.text(node.args[constants.index(False)])
        a, b = (
            f"torch.full_like({tensor}, {x.value})" if x.op == "const" else writer.text(x)
            for x in node.args
        )
        return f"torch.{node.op}({a}, {b})", 4
    if node.op == "where" and all(constants[2:]):
        a, b = (writer.text(x, 1) for x in node.args[:2])
        tensor = writer.text(node.args[constants.index(False)])
        then, other = (x.value for x in node.args[2:])
        # Of two plain numbers torch makes float32, whatever the type of the rest.
        return f"torch.where({a} < {b}, torch.full_like({tensor}, {then}), {other})", 4
    return None


def _module(cell: Cell, functions: Sequence[str]) -> str:
    averages = any(node.op == "mean" for s in cell.stages for node in walk(s.outputs))
    parts = [_MEAN, *functions] if averages else functions
    return "import torch\n\n\n" + "\n\n\n".join(parts) + "\n"
