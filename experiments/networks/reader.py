"""Today's network for a task: a recurrent layer and a linear map of what it says."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gatewise.nn import Recurrent

from ..tasks.batch import Batch, Task


class Reader(nn.Module):
    """A recurrent layer of Gatewise and a linear map, for a task's batches.

    Args:
        cell: Name of the cell.
        task: Gives the sizes, and what kind of unit answers.
        hidden_size: Units.
        direct: Whether the last input is answered to directly, too, past the recurrent layer.

    Example:
        >>> from experiments.tasks.adding import Marked
        >>> task = Marked(20)
        >>> network = Reader("lstm", task, 4)
        >>> network.answers(task.draw(np.random.default_rng(0), 3)).shape
        (3, 1)
    """

    def __init__(self, cell: str, task: Task, hidden_size: int, *, direct: bool = False) -> None:
        super().__init__()
        self.layer = Recurrent(cell, task.inputs, hidden_size)
        self.head = nn.Linear(hidden_size, task.outputs)
        self.direct = nn.Linear(task.inputs, task.outputs, bias=False) if direct else None
        self.units = task.units

    @property
    def weights(self) -> int:
        """How many weights are learned; two biases of one gate are one."""
        double = sum(p.numel() for n, p in self.named_parameters() if "bias_hh" in n)
        return sum(p.numel() for p in self.parameters()) - double

    def forward(self, batch: Batch) -> Tensor:
        """Answers before the logistic unit, shaped like `batch.target`."""
        x = torch.from_numpy(batch.x).float()
        y, state = self.layer(x, lengths=torch.from_numpy(batch.lengths))
        answer = self.head(y if batch.every_step else state.h[0])
        if self.direct is None:
            return answer
        last = (
            x if batch.every_step else x[torch.arange(len(x)), torch.from_numpy(batch.lengths) - 1]
        )
        return answer + self.direct(last)

    def loss(self, y: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of logistic and softmax units, squared error of linear ones.

        A logistic unit's cross-entropy is least at the mean of its targets even where they are no
        classes, and steep where the answer is far off, which its squared error is not.
        """
        target = torch.from_numpy(batch.target).float()
        if batch.every_step:
            wanted = torch.from_numpy(batch.wanted)
            y, target = y[wanted], target[wanted]
        if self.units == "linear":
            return F.mse_loss(y, target)
        if self.units == "softmax":
            return F.cross_entropy(y, target)
        return F.binary_cross_entropy_with_logits(y, target)

    def as_answer(self, y: Tensor) -> NDArray[np.float64]:
        """What `forward` gave, as answers, in NumPy."""
        y = y.detach().double()
        if self.units != "linear":
            y = y.sigmoid() if self.units == "logistic" else y.softmax(-1)
        return y.numpy()

    def answers(self, batch: Batch) -> NDArray[np.float64]:
        """Answers to a batch, without gradient."""
        with torch.no_grad():
            return self.as_answer(self(batch))
