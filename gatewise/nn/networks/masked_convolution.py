"""Convolutions over time that never see the padding of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InputError
from ..arguments import check_sizes
from ..inputs import check_input
from ..masks import all_lengths, inside


class MaskedBatchNorm(nn.Module):
    """Batch norm over the real steps of a padded batch, and over these alone.

    torch's own counts padding as data, so that a sequence's answer depends on how much longer
    the others of its batch are (Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167).

    Args:
        channels: Features of each step.
        momentum: Share of a new batch in the running statistics.
        eps: Added to the variance.

    Example:
        >>> norm = MaskedBatchNorm(1)
        >>> x = torch.tensor([[[1.0, 3.0]], [[5.0, 99.0]]])
        >>> real = torch.tensor([[True, True], [True, False]])
        >>> [round(value, 2) for value in norm(x, real).flatten().tolist()]
        [-1.22, 0.0, 1.22, 0.0]
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        check_sizes({"channels": channels}, 0.0)
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        """Normalise.

        Args:
            x: [batch, channels, time]; what stands outside may be anything finite.
            real: Which steps are real, [batch, time]; None where all are.

        Returns:
            [batch, channels, time], zero outside.
        """
        running = self.running_mean, self.running_var
        # One step alone has no deviation, and torch refuses it.
        if real is None and (not self.training or x.shape[0] * x.shape[2] > 1):
            return F.batch_norm(
                x, *running, self.weight, self.bias, self.training, self.momentum, self.eps
            )
        mean, var = running
        if self.training:
            mean, var, count = _moments(x, real)
            if count > 1:
                self.running_mean.lerp_(mean.detach(), self.momentum)
                self.running_var.lerp_(var.detach() * (count / (count - 1)), self.momentum)
        scale = self.weight * (var + self.eps).rsqrt()
        y = torch.addcmul((self.bias - mean * scale)[:, None], x, scale[:, None])
        return y if real is None else y.masked_fill(~real.unsqueeze(1), 0)


def _moments(x: Tensor, real: Tensor | None) -> tuple[Tensor, Tensor, int]:
    """Mean and variance of each channel over the real steps, and how many these are."""
    if real is None:
        var, mean = torch.var_mean(x, (0, 2), correction=0)
        return mean, var, x.shape[0] * x.shape[2]
    outside, count = ~real.unsqueeze(1), int(real.sum())
    mean = x.masked_fill(outside, 0).sum((0, 2)) / max(count, 1)
    apart = (x - mean[:, None]).masked_fill(outside, 0)
    return mean, apart.square().sum((0, 2)) / max(count, 1), count


class FullyConvolutional(nn.Module):
    """Blocks of convolution over time, batch norm and ReLU; time keeps its length.

    The convolutional half of LSTM-FCN (Karim et al. 2017, https://arxiv.org/abs/1709.05206),
    which is the network of Wang, Yan & Oates 2017 (https://arxiv.org/abs/1611.06455), for
    sequences of uneven lengths: steps beyond a sequence's end are zero after every block and
    count nowhere, so that a sequence has the same result alone and in any batch.

    Args:
        input_size: Features of each step.
        channels: Features after each block.
        kernels: Steps that each block's convolution covers.

    Attributes:
        output_size: Features of each step of the result.

    Raises:
        InputError: A size is not a whole number of at least 1, or there is not one kernel a block.

    Example:
        >>> blocks = FullyConvolutional(3, (8, 16), (5, 3))
        >>> blocks(torch.randn(2, 7, 3), lengths=[7, 2]).shape
        torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        input_size: int,
        channels: Sequence[int] = (128, 256, 128),
        kernels: Sequence[int] = (8, 5, 3),
    ) -> None:
        super().__init__()
        if not channels or len(channels) != len(kernels):
            raise InputError(
                f"channels={tuple(channels)} and kernels={tuple(kernels)}: give one of each for "
                "every block"
            )
        for size in (input_size, *channels):
            check_sizes({"channels": size}, 0.0)
        for size in kernels:
            check_sizes({"kernels": size}, 0.0)
        self.input_size, self.output_size = input_size, channels[-1]
        widths = [input_size, *channels]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(i, o, k, bias=False)
            for i, o, k in zip(widths, channels, kernels, strict=False)
        )
        self.norms = nn.ModuleList(MaskedBatchNorm(c) for c in channels)
        for convolution in self.convolutions:
            nn.init.kaiming_uniform_(convolution.weight, nonlinearity="relu")  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Tensor:
        """Apply the blocks.

        Args:
            x: [batch, time, input].
            lengths: Steps of each sequence, [batch], from 0 to `time`.

        Returns:
            [batch, time, channels], zero beyond each sequence's end.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        check_input("x", x, "[batch, time, input]", self.input_size)
        real = None
        x = x.transpose(1, 2)
        if lengths is not None:
            real = inside(all_lengths(lengths, x.transpose(1, 2)), x.shape[2])
            real = None if bool(real.all()) else real
            x = x if real is None else x.masked_fill(~real.unsqueeze(1), 0)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            width = int(convolution.weight.shape[-1]) - 1  # pyright: ignore[reportIndexIssue]
            padded = F.pad(x, (width // 2, width - width // 2))
            x = F.relu(norm(convolution(padded), real))
        return x.transpose(1, 2)
