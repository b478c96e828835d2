"""What another task takes from a saved language model: its tokens, its encoder, its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from .. import export
from ..data.text.vocabulary import Vocabulary
from ..errors import InputError
from ..train.spec import Trainer

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..nn.networks.language import TokenEncoder
    from .language_model import LanguageModel

Pretrained = str | tuple[str, ...] | None

FINE_TUNE: dict[str, Any] = {
    "lr": 3e-3,
    "schedule": "cosine",
    "warmup": 0.05,
    "layer_decay": 1.0,
    "unfreeze": 0,
    "average": 0.99,
    "finish": 0.0,
}
"""What did best where the language model has seen no more than the texts at hand."""

ULMFIT = Trainer(
    lr=5e-3, schedule="slanted", warmup=0.1, layer_decay=1 / 2.6, unfreeze=1, average=0.0
)
"""For a language model that knows more than the texts at hand: a triangle, lower rates for lower
layers, thawed one after another (Howard & Ruder 2018, https://arxiv.org/abs/1801.06146)."""


class Borrowed:
    """One language model, or two that read in opposite directions, for a task that builds on them.

    What is needed to build them again is held in the borrower's data part; the folders are read
    once, when it is fitted.

    Args:
        pretrained: Folders of saved language models.

    Raises:
        InputError: That is not what is given.
    """

    def __init__(self, pretrained: str | tuple[str, ...]) -> None:
        several = pretrained if isinstance(pretrained, tuple | list) else (pretrained,)
        if not all(isinstance(path, str | Path) for path in several):
            raise InputError(
                f"pretrained={pretrained!r}: give the folder of a language model, or those of two"
            )
        self._paths = tuple(map(str, several))
        self._models: list[dict[str, Any]] = []
        self._weights: list[Mapping[str, Tensor]] = []
        self._vocabulary: dict[str, Any] = {}

    def vocabulary(self) -> Vocabulary:
        """Read the folders; the vocabulary that the models share.

        Raises:
            InputError: A folder holds no language model, or they have different vocabularies.
        """
        self._models, self._weights = [], []
        for path in self._paths:
            found = export.read(path)
            if (name := found.description["estimator"]) != "LanguageModel":
                raise InputError(
                    f"pretrained={path!r} holds a {name}: give the folder of a language model"
                )
            vocabulary = found.description["data"]["vocabulary"]
            if self._models and vocabulary != self._vocabulary:
                raise InputError(
                    f"pretrained={path!r} has another vocabulary than {self._paths[0]!r}: fit "
                    "both on the same texts"
                )
            self._vocabulary = vocabulary
            before = export.decode(found.description["data"].get("borrowed"))
            self._models.append(before["models"][0] if before else found.description["params"])
            self._weights.append(found.under("network"))
        return Vocabulary.restored(self._vocabulary)

    def encoders(self, *, dropout: float) -> list[tuple[TokenEncoder, bool]]:
        """Build each encoder, with its weights where they were read; whether it reads backwards.

        Args:
            dropout: Rate of what is dropped of its input and between its layers while training.
        """
        built = []
        for k, model in enumerate(self.models()):
            encoder = model.reader(len(Vocabulary.restored(self._vocabulary)), dropout=dropout)
            if self._weights:
                encoder.load_state_dict(_under(self._weights[k], "reader."))
            built.append((encoder, model.direction == "backward"))
        return built

    def models(self) -> list[LanguageModel]:
        """The language models' settings, with no weights in them."""
        from .language_model import LanguageModel

        specs = export.specs_of(LanguageModel.__init__)
        return [
            LanguageModel(**{name: export.decode(value, specs) for name, value in params.items()})
            for params in self._models
        ]

    def shape(self, model: LanguageModel) -> LanguageModel:
        """Settings of the first one's network, for a model that goes on from it, with its noise.

        Raises:
            InputError: They read in opposite directions, or several were given.
        """
        lender, *more = self.models()
        if more or lender.direction != model.direction:
            raise InputError(
                f"pretrained={model.pretrained!r} and direction={model.direction!r}: give the "
                "folder of one language model that reads in that direction"
            )
        return lender.set_params(regularization=model.regularization)

    def lend(self, network: nn.Module) -> None:
        """Give a language model's network the first one's weights, where they were read."""
        if self._weights:
            network.load_state_dict(dict(self._weights[0]))

    def state(self) -> dict[str, Any]:
        """What is needed to build the encoders again, as JSON can hold it."""
        return {"models": self._models, "vocabulary": self._vocabulary}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; the weights are the borrower's own by now."""
        self._models, self._vocabulary = list(state["models"]), dict(state["vocabulary"])


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        n.removeprefix(prefix): torch.as_tensor(t)
        for n, t in tensors.items()
        if n.startswith(prefix)
    }


def transfer_network(
    borrowed: Borrowed, outputs: int, *, dropout: float, middle: int | None = None
) -> nn.Module:
    """A network on each borrowed encoder; two of them answer with their mean."""
    from ..nn.networks.transfer import TransferNetwork
    from ..train.ensemble import Ensemble

    members = [
        TransferNetwork(encoder, outputs, backward=backward, dropout=dropout, middle=middle)
        for encoder, backward in borrowed.encoders(dropout=dropout)
    ]
    return members[0] if len(members) == 1 else Ensemble(members)
