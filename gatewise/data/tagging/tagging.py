"""A tagger's data part: vocabularies, sets of tags, scales and baselines, and how to undo them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError, nearest
from ...nn.heads.crf import Transitions
from ..contract import Fold
from .answers import given_back
from .batches import TagExamples, numbered
from .columns_spec import TagColumns
from .reading import read_tagged
from .scheme import links, scheme_of
from .token_tables import TokenTables

if TYPE_CHECKING:
    from ...nn.networks.token_features import TokenFeatures
    from ..text.borrows import Borrows
    from .tagged import Tagged


class TaggedSequences:
    """Tagged sequences to examples.

    Args:
        columns: Which columns mean what.
        features: What is seen of a token.
        holdout: Share of the sequences to hold out, whole groups where there are any.
        seed: Of which ones those are.
        borrowed: A language model that reads the tokens, too; None for none.

    Attributes:
        tags_: Name of each set of tags to its tags, by name.
        links_: For each set, which tag may follow which.
        tokens_: What is known of tokens; None where there are numbers only.
        usual_: For each set, the most frequent tag of each token as it is written.
        majority_: For each set, the most frequent tag.
        count_: Sequences that were fitted on.
    """

    def __init__(
        self,
        columns: TagColumns,
        features: TokenFeatures,
        holdout: float = 0.1,
        seed: int = 0,
        borrowed: Borrows | None = None,
    ) -> None:
        self.columns, self.features, self.borrowed = columns, features, borrowed
        self.holdout, self.seed = holdout, seed
        self.tags_: dict[str, list[str]] = {}
        self.links_: list[Transitions] = []
        self.tokens_: TokenTables | None = None
        self.channels_: tuple[str, ...] = ()
        self.centre_, self.scale_ = torch.zeros(0), torch.zeros(0)
        self.usual_: dict[str, dict[str, str]] = {}
        self.majority_: dict[str, str] = {}
        self.notes_: tuple[str, ...] = ()
        self.count_ = 0

    def accept(self, path: Any) -> Tagged:
        """Read a file ahead of the fit."""
        return read_tagged(path, None, self.columns)

    def fit(self, x: Any, y: Any = None) -> Fold:
        """Learn from the sequences that are not held out."""
        tagged = read_tagged(x, y, self.columns)
        train, valid = self._split(tagged)
        fitted = tagged.take(train)
        self.count_ = len(fitted)
        self._learn_tags(tagged, fitted)
        self._learn_channels(fitted)
        self.tokens_, hidden = None, None
        if fitted.tokens is not None:
            pretrained = self.borrowed.vocabulary() if self.borrowed else None
            self.tokens_ = TokenTables(self.features, pretrained)
            self.tokens_.learn(fitted.tokens)
        elif self.borrowed:
            raise InputError("pretrained is given, and these are numbers: leave it out")
        examples = self._examples(tagged)
        if self.tokens_ is not None and tagged.tokens is not None and examples.places is not None:
            hidden = self.tokens_.hidden(tagged.tokens, examples.places, train)
        return Fold(
            replace(examples.take(train), hidden=hidden),
            examples.take(valid) if valid else None,
            tagged.digest(),
            replace(examples, hidden=hidden),
        )

    def encode(self, x: Any) -> TagExamples:
        """Turn new sequences into examples."""
        known = {tag for tags in self.tags_.values() for tag in tags}
        letters = self.tokens_ is not None and self.tokens_.letters
        tagged = read_tagged(x, None, self.columns, labelled=False, letters=letters, known=known)
        return self._examples(replace(tagged, labels={}))

    def examples(self, x: Any, y: Any = None) -> TagExamples:
        """Turn tagged sequences into examples; a tag that was never seen counts as an error."""
        tagged = read_tagged(x, y, self.columns)
        for name in self.tags_:
            if name not in tagged.labels:
                raise InputError(
                    f"the data have no tags called {name!r}; {nearest(name, tagged.labels)}"
                )
        return self._examples(tagged)

    def undo(self, dataset: TagExamples, answers: Sequence[Any]) -> Any:
        """Give tags in the form the question came in."""
        return given_back(dataset.tagged, self.tags_, answers)

    def state(self) -> tuple[Mapping[str, Any], Mapping[str, Tensor]]:
        """Vocabularies and tags as JSON, scales and links as tensors."""
        held, tensors = self.tokens_.state() if self.tokens_ is not None else (None, {})
        settings = {
            "tags": self.tags_,
            "count": self.count_,
            "channels": list(self.channels_),
            "usual": self.usual_,
            "majority": self.majority_,
            "tokens": held,
            "borrowed": self.borrowed.state() if self.borrowed else None,
        }
        tensors |= {"centre": self.centre_, "scale": self.scale_}
        for k, chain in enumerate(self.links_):
            tensors |= {f"links.{k}.{n}": part for n, part in chain._asdict().items()}
        return settings, tensors

    def restore(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self.tags_ = {name: list(tags) for name, tags in settings["tags"].items()}
        self.count_, self.channels_ = settings["count"], tuple(settings["channels"])
        self.usual_, self.majority_ = settings["usual"], settings["majority"]
        self.centre_, self.scale_ = tensors["centre"], tensors["scale"]
        self.tokens_ = None
        if settings["tokens"] is not None:
            self.tokens_ = TokenTables(self.features)
            self.tokens_.restore(settings["tokens"], tensors)
        if self.borrowed:
            self.borrowed.restore(settings["borrowed"])
        self.links_ = [
            Transitions(*(tensors[f"links.{k}.{name}"] for name in Transitions._fields))
            for k in range(len(self.tags_))
        ]

    def _split(self, tagged: Tagged) -> tuple[list[int], list[int]]:
        """Which sequences to fit on and which to hold out; all of a group go together."""
        groups = tagged.groups if tagged.groups is not None else tuple(range(len(tagged)))
        names = sorted(set(groups), key=str)
        count = round(self.holdout * len(names))
        if self.holdout and len(names) > 1:
            count = max(1, count)
        held = set(random.Random(self.seed).sample(names, count))
        valid = [i for i, group in enumerate(groups) if group in held]
        return [i for i in range(len(tagged)) if groups[i] not in held], valid

    def _learn_tags(self, tagged: Tagged, fitted: Tagged) -> None:
        self.tags_, self.links_, notes = {}, [], []
        for name, sequences in tagged.labels.items():
            counts = Counter(t for tags in fitted.labels[name] for t in tags if t is not None)
            if not counts:
                raise InputError(f"no token has a tag in {name!r}; give tags to learn from")
            if len(counts) == 1:
                raise InputError(
                    f"every token has the tag {next(iter(counts))!r} in {name!r}: there is nothing "
                    "to learn; check the column"
                )
            names = sorted(counts)
            scheme = scheme_of(names)
            paths = [of.tolist() for of in numbered(list(sequences), names)]
            chain = links(names, scheme, paths)
            broken = _differ(chain, links(names, scheme, []))
            if broken:
                notes.append(
                    f"tags {name!r} look like {scheme}, and {broken} of the links in the data are "
                    "none of that scheme: they are allowed, too"
                )
            self.tags_[name] = names
            self.links_.append(chain)
            self.majority_[name] = max(counts, key=lambda t: (counts[t], t))
            self.usual_[name] = _usual(fitted, name)
        self.notes_ = tuple(notes)

    def _learn_channels(self, fitted: Tagged) -> None:
        self.channels_ = fitted.channels
        if fitted.values is None:
            return
        values = np.concatenate(fitted.values).astype(np.float64)
        for k, name in enumerate(fitted.channels):
            if np.isnan(values[:, k]).all():
                raise InputError(f"channel {name!r} has no value at all; drop it")
        spread = np.nanstd(values, 0)
        self.centre_ = torch.from_numpy(np.nanmean(values, 0)).float()
        self.scale_ = torch.from_numpy(np.where(spread > 0, spread, 1.0)).float()

    def _examples(self, tagged: Tagged) -> TagExamples:
        known = _said(self.tokens_ is not None, self.channels_)
        given = _said(tagged.tokens is not None, tagged.channels)
        if known != given:
            raise InputError(
                f"the model was fitted on {known}, and the data have {given}: give the same"
            )
        forms = places = None
        if tagged.tokens is not None and self.tokens_ is not None:
            forms, places = self.tokens_.forms(tagged.tokens)
        labels = tuple(
            numbered(list(tagged.labels[name]), names)
            for name, names in self.tags_.items()
            if name in tagged.labels
        )
        return TagExamples(tagged, forms, places, self._scaled(tagged), labels)

    def _scaled(self, tagged: Tagged) -> tuple[Tensor, ...] | None:
        """Channels on one scale; a missing value is the mean, and said by a channel of its own."""
        if tagged.values is None:
            return None
        scaled = []
        for values in tagged.values:
            own = (torch.from_numpy(np.asarray(values, np.float32)) - self.centre_) / self.scale_
            missing = own.isnan()
            scaled.append(torch.cat([own.masked_fill(missing, 0.0), missing.float()], 1))
        return tuple(scaled)


def _usual(fitted: Tagged, name: str) -> dict[str, str]:
    """The most frequent tag of each token as it is written."""
    if fitted.tokens is None:
        return {}
    counts: dict[str, Counter[str]] = {}
    for tokens, tags in zip(fitted.tokens, fitted.labels[name], strict=True):
        for token, tag in zip(tokens, tags, strict=True):
            if tag is not None:
                counts.setdefault(token, Counter())[tag] += 1
    return {token: max(of, key=lambda t, of=of: (of[t], t)) for token, of in counts.items()}


def _differ(chain: Transitions, other: Transitions) -> int:
    return sum(int((a != b).sum()) for a, b in zip(chain, other, strict=True))


def _said(tokens: bool, channels: Sequence[str]) -> str:
    parts = ["tokens"] * tokens + ([f"channels {', '.join(channels)}"] if channels else [])
    return " and ".join(parts)
