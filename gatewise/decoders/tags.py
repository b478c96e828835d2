"""From scores of tags to tags and their probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from ..nn.heads.crf import marginals, viterbi

if TYPE_CHECKING:
    from torch import nn

Decoding = Literal["viterbi", "marginal"]


class TagDecoder:
    """The best path, or the best tag at each step.

    Args:
        decoding: "viterbi" gives the most probable path, whose links are all allowed; "marginal"
            the most probable tag of each token, which makes the fewest errors token by token.
    """

    def __init__(self, decoding: Decoding = "viterbi") -> None:
        self.decoding = decoding

    def __call__(self, network: nn.Module, batch: Any) -> list[tuple[Tensor, Tensor]]:
        """Answer a batch.

        Returns:
            For each set of tags the chosen ones, int64 [batch, time], and the probability of each
            tag, [batch, time, tags]; what is beyond a sequence's end means nothing.
        """
        answers = []
        for scores, transitions in network(batch):
            if transitions is None:
                chances = scores.softmax(-1)
                answers.append((chances.argmax(-1), chances))
                continue
            chances = marginals(scores, transitions, batch.lengths)
            if self.decoding == "viterbi":
                answers.append((viterbi(scores, transitions, batch.lengths)[0], chances))
            else:
                answers.append((chances.argmax(-1), chances))
        return answers
