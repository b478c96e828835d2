"""Sequences of sequences to one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...compiler import Cell
from ...errors import InputError
from ..attention.pooling import AttentionPooling
from ..inputs import check_input
from ..layers.recurrent import Recurrent
from ..masks import all_lengths, inside


class Document(NamedTuple):
    """What a hierarchical encoder makes of documents.

    Attributes:
        vector: [batch, output_size].
        sentences: How much each sentence counts, [batch, sentences]; they add up to 1.
        words: How much each word counts in its sentence, [batch, sentences, words]; they add up
            to 1 in each sentence.
    """

    vector: Tensor
    sentences: Tensor
    words: Tensor


class HierarchicalEncoder(nn.Module):
    """Words to sentences to a document: recurrent layers and attention at both levels.

    Yang et al., Hierarchical Attention Networks for Document Classification, 2016
    (https://aclanthology.org/N16-1174), whose cell is the GRU. Levels may be anything with two
    levels of length, such as the visits of patients and the measurements of visits.

    A sentence of no words is a vector of zeros and counts as a sentence; a document of no
    sentences is a vector of zeros.

    Args:
        cell: Equations of one step, as in `Recurrent`, at both levels.
        input_size: Features of each word.
        hidden_size: Units of each direction, at both levels.
        num_layers: Layers at each level.
        bidirectional: Whether time is read in both directions.
        dropout: Rate of what is dropped between layers while training.

    Attributes:
        output_size: Features of a document.

    Raises:
        InputError: An argument is not one of the above.

    Example:
        >>> import torch
        >>> encoder = HierarchicalEncoder("gru", 3, 8)
        >>> words = torch.tensor([[4, 2], [3, 0]])
        >>> out = encoder(torch.randn(2, 2, 4, 3), lengths=[2, 1], word_lengths=words)
        >>> out.vector.shape, out.sentences[1].tolist(), out.words.shape
        (torch.Size([2, 16]), [1.0, 0.0], torch.Size([2, 2, 4]))
    """

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.words = Recurrent(
            cell, input_size, hidden_size, num_layers=num_layers, bidirectional=bidirectional,
            dropout=dropout,
        )  # fmt: skip
        size = self.words.output_size
        self.sentences = Recurrent(
            cell, size, hidden_size, num_layers=num_layers, bidirectional=bidirectional,
            dropout=dropout,
        )  # fmt: skip
        self.word_pooling = AttentionPooling(size)
        self.sentence_pooling = AttentionPooling(size)
        self.input_size = input_size
        self.output_size = size

    def forward(
        self,
        x: Tensor,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        word_lengths: Tensor | Sequence[Sequence[int]] | None = None,
    ) -> Document:
        """Encode documents.

        Args:
            x: [batch, sentences, words, input].
            lengths: Sentences of each document, [batch], from 0 to `sentences`.
            word_lengths: Words of each sentence, [batch, sentences], from 0 to `words`; whatever
                stands past a document's end is not looked at, but must be a legal length.

        Returns:
            Vector and weights by name.

        Raises:
            InputError: Shape or type of an argument is not as above.
        """
        check_input("x", x, "[batch, sentences, words, input]", self.input_size)
        each = x.flatten(0, 1)
        words = all_lengths(_flat(word_lengths, x), each)
        sentences = all_lengths(lengths, x)
        words = words * inside(sentences, x.shape[1]).flatten()
        y, _ = self.words(each, lengths=words)
        pooled, word_weights = self.word_pooling(y, lengths=words)
        y, _ = self.sentences(pooled.unflatten(0, x.shape[:2]), lengths=sentences)
        vector, sentence_weights = self.sentence_pooling(y, lengths=sentences)
        return Document(vector, sentence_weights, word_weights.unflatten(0, x.shape[:2]))


def _flat(lengths: Any, x: Tensor) -> Tensor | None:
    """Lengths of all sentences, one after the other."""
    if lengths is None:
        return None
    lengths = torch.as_tensor(lengths)
    if lengths.shape != x.shape[:2]:
        raise InputError(
            f"word_lengths of shape {tuple(lengths.shape)}: give one whole number for each "
            f"sentence, {tuple(x.shape[:2])}"
        )
    return lengths.flatten()
