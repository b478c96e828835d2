"""A stack of layers that runs one time step: all that can be made ahead is made ahead.

Weights are packed, memory is laid out and argument blocks are written once. Each layer has two
blocks, in which its states' old and new values have changed places, and steps take them in turn:
so a step writes no words but the addresses of what the caller holds.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from torch import Tensor

from ..call import Call
from .block import Block
from .host import Host, host
from .ir import Function, Module
from .jit import compiled
from .kernels import Kernel, lanes
from .stream_weights import FloatPanels, Layer, Vectors, layer_of, room
from .words import Words

STEP = Words(["turn", "count", "jobs"])
"""What `step` is told: whose turn it is, how many layers, and both turns' jobs."""

BETWEEN = Words(["step", "from", "x", "x_count", "y", "to", "y_count"])
"""What `between` is told: the job of `step`, and how many numbers to copy from where to where."""

FROM, TO = BETWEEN["from"], BETWEEN["to"]
"""The words that a caller of `Steps.between` sets: addresses of whole inputs and outputs."""


class Panels(Protocol):
    """The matrices of a layer, and the kernel that reads them."""

    kernel: Kernel
    words: dict[str, int]

    def pack(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the weights as they are now."""
        ...


class Steps:
    """Runs layers, the first to the last, for one step.

    Not for several threads at once; several of these know nothing of each other.

    Args:
        calls: What each layer asks: cell, weights, and an `x` with the batch and the features.
        panels: What holds the matrices.

    Attributes:
        x: Input of the next step, [batch, input].
        y: Output of the last one, [batch, output].
        step: Address of a job that computes `y` from `x`; for `threads.caller`.
        between: Address of one that copies the input from and the output to elsewhere.
        words: Its words, of which `FROM` and `TO` are the caller's.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        panels: Callable[[Layer, Mapping[str, Tensor]], Panels] = FloatPanels,
    ) -> None:
        machine = host()
        layers = [layer_of(call, machine) for call in calls]
        first, last = layers[0].sizes, layers[-1].sizes
        kind, batch = layers[0].kind, first.batch
        self.x = rows = room((batch, first.input), kind)
        self._layers = []
        for call, layer in zip(calls, layers, strict=True):
            made = _Memory(layer, rows, panels(layer, call.weights))
            made.vectors.pack(call.weights)
            rows = made.y
            self._layers.append(made)
        self.y = rows
        jobs = [made.job(turn) for turn in (0, 1) for made in self._layers]
        self._table = np.array([job.ctypes.data for job in jobs], dtype=np.int64)
        told = {"function": _address("step", kind, machine), "turn": 0, "count": len(layers),
                "jobs": self._table.ctypes.data}  # fmt: skip
        self._step = np.array([told[name] for name in STEP.names], dtype=np.int64)
        self.step = self._step.ctypes.data
        told = {"function": _address("between", kind, machine), "step": self.step,
                "from": 0, "x": self.x.ctypes.data, "x_count": batch * first.input,
                "y": self.y.ctypes.data, "to": 0, "y_count": batch * last.output}  # fmt: skip
        self.words = array("q", (told[name] for name in BETWEEN.names))
        self.between, _ = self.words.buffer_info()

    def pack(self, calls: Sequence[Call]) -> None:
        """Take over the weights as they are now."""
        for made, call in zip(self._layers, calls, strict=True):
            made.vectors.pack(call.weights)
            made.panels.pack(call.weights)

    def state(self) -> list[np.ndarray]:
        """Copies of all states, [layers, batch, features]."""
        turn = int(self._step[STEP["turn"]])
        each = [made.states(turn) for made in self._layers]
        return [np.stack(rows) for rows in zip(*each, strict=True)]

    def start(self, states: Sequence[np.ndarray]) -> None:
        """Go on from other states, given as `state` gives them."""
        turn = int(self._step[STEP["turn"]])
        for k, made in enumerate(self._layers):
            for room_, given in zip(made.states(turn), states, strict=True):
                room_[...] = given[k]


class _Memory:
    """A layer and what it reads and writes."""

    def __init__(self, layer: Layer, x: np.ndarray, panels: Panels) -> None:
        plan, sizes, kind = layer.plan, layer.sizes, layer.kind
        self.layer, self.panels, self.vectors = layer, panels, Vectors(layer)
        self.y = room((sizes.batch, sizes.output), kind)
        self._states = [
            room((2, sizes.batch, sizes.padded(sizes.state(plan, name))), kind)
            for name in plan.states
        ]
        values = {
            name: room((sizes.batch, sizes.padded(sizes.hidden)), kind) for name in plan.crossing
        }
        means = {row.name: room((sizes.batch,), kind) for row in plan.means}
        tables = {"x_rows": _rows(x), "y_rows": _rows(self.y)}
        self._words = (
            sizes.words() | self.vectors.words | dict(panels.words)
            | {name: table.ctypes.data for name, table in tables.items()}
            | {f"value:{name}": value.ctypes.data for name, value in values.items()}
            | {f"mean:{name}": value.ctypes.data for name, value in means.items()}
            | {"begin": 0, "end": sizes.batch, "first": 0, "last": 1}
        )  # fmt: skip
        self._alive: list[object] = [x, values, means, tables]

    def job(self, turn: int) -> np.ndarray:
        """The block of the kernel for one of the two turns."""
        kernel = self.panels.kernel
        told = self._words | {"function": kernel.address}
        for name, state in zip(self.layer.plan.states, self._states, strict=True):
            told[f"state:{name}"] = state[turn].ctypes.data
            told[f"state_step:{name}"] = state.strides[0] * (-1 if turn else 1)
            told[f"state_wrap:{name}"] = 1
        block = np.array([told.get(name, 0) for name in kernel.words.names], dtype=np.int64)
        self._alive.append(block)
        return block

    def states(self, turn: int) -> list[np.ndarray]:
        """The states that a turn starts from, [batch, features]."""
        sizes, plan = self.layer.sizes, self.layer.plan
        return [
            state[turn, :, : sizes.state(plan, name)]
            for name, state in zip(plan.states, self._states, strict=True)
        ]


def _rows(values: np.ndarray) -> np.ndarray:
    """Where each row begins."""
    return values.ctypes.data + np.arange(len(values), dtype=np.int64) * values.strides[0]


@lru_cache(maxsize=16)
def _address(name: str, kind: str, machine: Host) -> int:
    """The address of one of this file's two functions."""
    return compiled(f"stream {kind}", lambda: _text(kind, machine), machine).address(name)


def _text(kind: str, machine: Host) -> str:
    """The module, with the public functions `step` and `between`."""
    module, vector = Module(), lanes(machine, kind)
    step = Function(module, "step", [("ptr", "%block")], vector, public=True)
    block = Block(step, STEP)
    turn, count = block.word("turn"), block.word("count")
    first = step.mul(turn, count)
    with step.loop("0", count) as k:
        job = step.pointer(block.pointer("jobs"), step.add(first, k))
        step.do(f"call void {step.pointer(job)}(ptr {job})")
    block.put("turn", step.sub("1", turn))
    step.do("ret void")
    module.add(step)

    between = Function(module, "between", [("ptr", "%block")], vector, public=True)
    block = Block(between, BETWEEN)
    _copy(between, block.pointer("from"), block.pointer("x"), block.word("x_count"))
    between.do(f"call void @step(ptr {block.pointer('step')})")
    _copy(between, block.pointer("y"), block.pointer("to"), block.word("y_count"))
    between.do("ret void")
    module.add(between)
    return module.text()


def _copy(code: Function, from_: str, to: str, count: str) -> None:
    n = code.lanes.count
    whole = code.let(f"and i64 {count}, {-n}")
    with code.loop("0", whole, str(n)) as at:
        code.store(code.load(code.offset(from_, at)), code.offset(to, at))
    with code.when(code.less(whole, count)):
        mask = code.mask(code.sub(count, whole))
        value = code.load_part(code.offset(from_, whole), mask)
        code.store_part(value, code.offset(to, whole), mask)
