"""A cell's equations as LaTeX, one line per named value."""

from __future__ import annotations

from .expr import Expr
from .simplify import simplify
from .text import Form, Writer
from .value import Cell

FORMS = {
    "add": Form("{} + {}", 1, (1, 1)),
    "sub": Form("{} - {}", 1, (1, 2)),
    "mul": Form(r"{} \odot {}", 2, (2, 2)),
    "div": Form(r"\frac{{{}}}{{{}}}"),
    "neg": Form("-{}", 0, (2,)),
    "abs": Form(r"\lvert {} \rvert"),
    "exp": Form(r"\exp({})"),
    "log": Form(r"\log({})"),
    "sqrt": Form(r"\sqrt{{{}}}"),
    "sin": Form(r"\sin({})"),
    "cos": Form(r"\cos({})"),
    "floor": Form(r"\lfloor {} \rfloor"),
    "sigmoid": Form(r"\sigma({})"),
    "tanh": Form(r"\tanh({})"),
    "relu": Form(r"\operatorname{{relu}}({})"),
    "softplus": Form(r"\operatorname{{softplus}}({})"),
    "logsigmoid": Form(r"\log\sigma({})"),
    "maximum": Form(r"\max({}, {})"),
    "minimum": Form(r"\min({}, {})"),
    "mean": Form(r"\overline{{{}}}"),
    "where": Form(
        r"\begin{{cases}} {2} & \text{{if }} {0} < {1} \\ {3} & \text{{otherwise}} \end{{cases}}",
        wants=(1, 1, 0, 0),
    ),
}

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu",
    "nu", "xi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
}  # fmt: skip


def equations(cell: Cell) -> str:
    r"""Write a cell as a textbook does: an `aligned` block, to stand inside `$$`.

    Values keep the names of the declaring function; at step t the layer sees x and, of the step
    before, the states.

    Example:
        >>> from gatewise.cells import lstm
        >>> print(equations(lstm))
        \begin{aligned}
        i_{t} &= \sigma(W_{i} x_{t} + U_{i} h_{t-1} + b_{i}) \\
        f_{t} &= \sigma(W_{f} x_{t} + U_{f} h_{t-1} + b_{f}) \\
        g_{t} &= \tanh(W_{g} x_{t} + U_{g} h_{t-1} + b_{g}) \\
        o_{t} &= \sigma(W_{o} x_{t} + U_{o} h_{t-1} + b_{o}) \\
        c_{t} &= f_{t} \odot c_{t-1} + i_{t} \odot g_{t} \\
        h_{t} &= o_{t} \odot \tanh(c_{t})
        \end{aligned}
    """
    named = [*cell.labels, *zip(cell.states, cell.outputs, strict=True)]
    nodes = simplify([node for _, node in named])
    outputs = nodes[len(cell.labels) :]
    names = {
        node: _at("t", name) for (name, _), node in zip(named, nodes, strict=True) if node.args
    }
    leaves = _Leaves(cell)
    writer = Writer(FORMS, {}, leaves.special, repeats=2, fresh=lambda k: f"s^{{({k})}}_{{t}}")
    lines = writer.lines(outputs, names)
    lines += [
        (_at("t", name), writer.text(node))
        for name, node in zip(cell.states, outputs, strict=True)
        if writer.names.get(node) != _at("t", name)
    ]
    body = " \\\\\n".join(f"{left} &= {right}" for left, right in lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


class _Leaves:
    """Writes what the equations start from: rows of weights, states, vectors and constants."""

    def __init__(self, cell: Cell):
        self.cell = cell
        self.output = cell.states[0]

    def special(self, writer: Writer, node: Expr) -> tuple[str, int] | None:
        if node.op == "const":
            return _number(float(node.value or 0.0))
        if node.op == "var":
            return self._variable(str(node.value))
        if node.op == "product":
            return self._recurrent(str(node.value), writer.text(node.args[0], 3)), 1
        if node.op == "where":
            return _limited(writer, node)
        if node.op == "mul" and any(self._scalar(a) for a in node.args):
            number, other = node.args if self._scalar(node.args[0]) else node.args[::-1]
            return f"{writer.text(number, 2)} \\, {writer.text(other, 2)}", 2
        return None

    def _variable(self, name: str) -> tuple[str, int]:
        kind = self.cell.inputs[name]
        row = self.cell.block(name)
        before = _at("t-1", self.output)
        if kind == "gate":
            return f"W_{{{row}}} x_{{t}} + U_{{{row}}} {before} + b_{{{row}}}", 1
        if kind == "from_input":
            return f"W_{{{row}}} x_{{t}} + b_{{{row}}}", 1
        if kind == "from_state":
            return self._recurrent(name, before), 1
        if kind == "state":
            return _at("t-1", name), 4
        draw = self.cell.draws.get(name)
        changes = kind == "noise" and (draw is None or draw.per == "step")
        return _at("t", name) if changes else _symbol(name), 4

    def _recurrent(self, name: str, operand: str) -> str:
        row = self.cell.block(name)
        second = "'" if row != name else ""  # The input half has a bias of its own.
        return f"U_{{{row}}} {operand} + b{second}_{{{row}}}"

    def _scalar(self, node: Expr) -> bool:
        return node.op == "const" or self.cell.inputs.get(str(node.value)) == "hyper"


def _limited(writer: Writer, node: Expr) -> tuple[str, int] | None:
    """Write a value held between two limits, which are two choices, as it is usually written."""
    value, low, least, inner = node.args
    if low is not least or inner.op != "where":
        return None
    high = inner.args[0]
    if inner.args != (high, value, high, value):
        return None
    return rf"\min(\max({writer.text(value)}, {writer.text(low)}), {writer.text(high)})", 4


def _number(number: float) -> tuple[str, int]:
    mantissa, _, exponent = repr(number).partition("e")
    text = mantissa.removesuffix(".0")
    if exponent:
        text += f" \\cdot 10^{{{int(exponent)}}}"
    return text, 0 if number < 0 else 2 if exponent else 4


def _symbol(name: str) -> str:
    base, _, below = name.partition("_")
    if base in _GREEK:
        base = f"\\{base}"
    elif len(base) > 1:
        base = f"\\mathrm{{{base}}}"
    return f"{base}_{{{_plain(below)}}}" if below else base


def _at(time: str, name: str) -> str:
    base, _, below = name.partition("_")
    symbol = _symbol(base)
    return f"{symbol}_{{{_plain(below)},{time}}}" if below else f"{symbol}_{{{time}}}"


def _plain(name: str) -> str:
    return name.replace("_", r"\_")
