"""Ways to start weights, by name: values that can be written as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import init

from ...connectivity.start import orthogonal
from ...errors import InputError, nearest


class Kind(NamedTuple):
    """What is behind a scheme's name.

    Attributes:
        base: Fills a tensor with what the scheme's number multiplies.
        places: Where the scheme applies when it is given for a whole layer.
        random: Whether it is drawn, so that a connectivity may ask for larger values.
        vectors: Whether it can start a bias or another vector.
        needs: What its number says, where it must be given.
    """

    base: Callable[[Tensor], object]
    places: tuple[str, ...]
    random: bool = True
    vectors: bool = False
    needs: str = ""


@dataclass(frozen=True)
class Scheme:
    """A way to start weights, also as text, with its number after a colon: `"chrono:784"`.

    - `default`: as the layer starts without a scheme.
    - `orthogonal`: orthonormal rows or columns, times the number, 1 (Saxe, McClelland & Ganguli
      2014, https://arxiv.org/abs/1312.6120).
    - `xavier_uniform`, `xavier_normal`: the variance 2 / (inputs + outputs), times the number's
      square, 1 (Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html).
    - `kaiming_uniform`, `kaiming_normal`: the variance 2 / inputs, times the number's square, 1
      (He et al. 2015, https://arxiv.org/abs/1502.01852, whose name some libraries give it).
    - `uniform`: between minus the number and the number, `hidden_size ** -0.5`, as torch's layers
      start.
    - `normal`: with the number as standard deviation and the mean 0.
    - `identity`: the number, 1, on the diagonal and 0 beside it, of a convolution at the middle of
      its kernel. For a whole layer, `"irnn"` is the identity with input weights `normal:0.001`
      and biases 0 (Le, Jaitly & Hinton 2015, https://arxiv.org/abs/1504.00941, for `elman_relu`).
    - `chrono`: biases under which the memory lasts up to the number of steps: `log(u)` with u
      uniform from 1 to the number less 1 for the gate that keeps the memory, the negative for
      the input gate beside it (Tallec & Ollivier 2018, https://arxiv.org/abs/1804.11188).
    - `constant`: the number.

    Inputs and outputs are those of one gate. Given for a whole layer, `identity` starts the
    recurrent weights, `chrono` the biases, `uniform` matrices and biases, the others matrices; a
    constant has to be told what it starts. What is left starts by default.

    Args:
        name: One of the above.
        number: Its number; None for the one that stands above.

    Raises:
        InputError: There is no such scheme, or it needs a number or another one.

    Example:
        >>> Scheme.read("chrono:784")
        Scheme(name='chrono', number=784.0)
        >>> str(Scheme("uniform", 0.1))
        'uniform:0.1'
    """

    name: str
    number: float | None = None

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            ours = _ELSEWHERE.get(self.name)
            known = f"it is called {ours!r} here" if ours else nearest(str(self.name), KINDS)
            raise InputError(f"scheme {self.name!r} is unknown: {known}")
        number, needs = self.number, KINDS[self.name].needs
        if number is None:
            if needs:
                raise InputError(
                    f"scheme {self.name!r} needs a number, {needs}: write it after a colon, as in "
                    f"'{self.name}:{_EXAMPLES[self.name]}'"
                )
            return
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not isfinite(number):
            raise InputError(f"scheme {self.name!r} has the number {number!r}: give a finite one")
        least = 2 if self.name == "chrono" else 0
        if number < least and self.name not in ("constant", "identity"):
            raise InputError(
                f"scheme {self.name!r} has the number {number!r}: give at least {least}"
            )

    @staticmethod
    def read(value: Scheme | str | float) -> Scheme:
        """Make a scheme of its text; a number alone is a constant.

        Raises:
            InputError: It is no text of a scheme.

        Example:
            >>> Scheme.read(2.0)
            Scheme(name='constant', number=2.0)
        """
        if isinstance(value, Scheme):
            return value
        if isinstance(value, (int, float)):
            return Scheme("constant", value)
        if not isinstance(value, str):
            raise InputError(
                f"scheme {value!r}: give text such as 'orthogonal' or 'chrono:784', or a number"
            )
        name, colon, text = value.partition(":")
        try:
            number = float(text) if colon else None
        except ValueError:
            raise InputError(
                f"scheme {value!r}: what stands after the colon is a number, as in 'chrono:784'"
            ) from None
        return Scheme(name, number)

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}:{self.number!r}"

    @property
    def kind(self) -> Kind:
        """What is behind the name."""
        return KINDS[self.name]

    def fill(self, weight: Tensor, hidden_size: int, gain: Tensor | float = 1.0) -> None:
        """Start one gate's matrix or bias, or another vector, in place.

        Args:
            weight: [units, features] or [units]; call it where no gradient is recorded.
            hidden_size: Units of the layer, or of the head that the matrix belongs to.
            gain: Factor on values that are drawn.
        """
        self.kind.base(weight)
        number = self.number
        if number is None:
            number = hidden_size**-0.5 if self.name == "uniform" else 1.0
        weight.mul_(number * gain if self.kind.random else number)


def memory_biases(longest: float, like: Tensor) -> Tensor:
    """Draw biases of a gate under which its units remember for 1 to `longest` steps.

    `log(u)` with u uniform from 1 to `longest - 1` (Tallec & Ollivier 2018,
    https://arxiv.org/abs/1804.11188, section 3).

    Args:
        longest: Steps, at least 2.
        like: A tensor of the same shape and device, and of a type at most as wide.
    """
    drawn = torch.empty_like(like, dtype=torch.promote_types(like.dtype, torch.float32))
    return drawn.uniform_(1, longest - 1).log_()


def identity(weight: Tensor) -> None:
    """Put 1 on the diagonal and 0 beside it, at the middle of a kernel where there is one.

    Args:
        weight: [units, features, *kernel]. Of an even number of places the middle is the one that
            a convolution with `padding="same"` puts on its own place.
    """
    middle = [(places - 1) // 2 for places in weight.shape[2:]]
    weight.zero_()[(slice(None), slice(None), *middle)].diagonal().fill_(1)


MATRICES = ("weight_ih", "weight_hh", "weight_hr")
WHOLE: dict[str, dict[str, str | float]] = {
    "irnn": {"weight_ih": "normal:0.001", "weight_hh": "identity", "bias": 0.0},
}
"""Schemes of a whole layer by a name of their own, and what they give each of its places."""

# What others call the same.
_ELSEWHERE = {
    "glorot_normal": "xavier_normal", "glorot_uniform": "xavier_uniform",
    "he_normal": "kaiming_normal", "he_uniform": "kaiming_uniform", "eye": "identity",
}  # fmt: skip
_EXAMPLES = {"normal": 0.01, "chrono": 784, "constant": 1.0}

KINDS: dict[str, Kind] = {
    "default": Kind(torch.zero_, (), vectors=True),
    "orthogonal": Kind(orthogonal, MATRICES),
    "xavier_uniform": Kind(init.xavier_uniform_, MATRICES),
    "xavier_normal": Kind(init.xavier_normal_, MATRICES),
    "kaiming_uniform": Kind(
        lambda weight: init.kaiming_uniform_(weight, nonlinearity="relu"), MATRICES
    ),
    "kaiming_normal": Kind(
        lambda weight: init.kaiming_normal_(weight, nonlinearity="relu"), MATRICES
    ),
    "uniform": Kind(lambda weight: weight.uniform_(-1, 1), (*MATRICES, "bias"), vectors=True),
    "normal": Kind(torch.Tensor.normal_, MATRICES, vectors=True, needs="the standard deviation"),
    "identity": Kind(identity, ("weight_hh",), random=False),
    "chrono": Kind(torch.zero_, ("bias",), vectors=True, needs="the longest memory in steps"),
    "constant": Kind(init.ones_, (), random=False, vectors=True, needs="the value"),
}
