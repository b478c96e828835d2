"""Tagging: a tag for each token of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..data.tagging.columns_spec import TagColumns
from ..errors import InputError, nearest
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..nn.networks.token_features import TokenFeatures
from ..train.spec import Trainer

if TYPE_CHECKING:
    from ..data.tagging.tagging import TaggedSequences
    from ..evaluation.tags import Span
    from ..inspection.task_report import TaskReport


class SequenceTagger(Estimator):
    """Give each token of a sequence a tag: words a part of speech, residues a structure.

    A token is seen by a vector of its own, by its characters, and by its casing and affixes;
    numbers may stand beside it or in its place. Recurrent layers see what is around it, and a
    chain of tags (a conditional random field) what may follow what: tags of the schemes BIO and
    BIOES are found by their names, and only links that the scheme has are taken. Several sets of
    tags are learned side by side. Files of CoNLL columns, FASTA with labels, PDB and mmCIF,
    tables and frames, and lists are read; a part of the sequences is held out to stop by.

    Args:
        output: "crf" for a chain of tags, "softmax" to judge each token for itself.
        decoding: "viterbi" gives the best path, "marginal" the best tag of each token.
        holdout: Share of the sequences to hold out; whole groups, where there are groups.
        ensemble: Networks of different seeds, whose scores are averaged.
        columns: Which columns mean what; found by name when left out.
        features: What is seen of a token.
        pretrained: Folder of a language model of words (of characters where tokens are letters)
            whose vectors and outputs are seen of a token as well; or two folders, of a forward and
            a backward one.
        encoder: The recurrent layers.
        trainer: How it is trained.

    Example:
        >>> sentences = [["the", "dog", "runs"], ["a", "cat", "sleeps"], ["the", "cat", "runs"]]
        >>> tags = [["DET", "NOUN", "VERB"]] * 3
        >>> model = SequenceTagger(trainer=Trainer(max_epochs=10))
        >>> model.fit(sentences * 8, tags * 8).predict([["a", "dog", "sleeps"]])
        [['DET', 'NOUN', 'VERB']]
    """

    verb: ClassVar[str | None] = "tagger"

    def __init__(
        self,
        *,
        output: Literal["crf", "softmax"] = "crf",
        decoding: Literal["viterbi", "marginal"] = "viterbi",
        holdout: float = 0.1,
        ensemble: int = 1,
        columns: TagColumns = TagColumns(),
        features: TokenFeatures = TokenFeatures(),
        pretrained: str | tuple[str, ...] | None = None,
        encoder: Encoder = Encoder(bidirectional=True),
        trainer: Trainer = Trainer(),
    ) -> None:
        self.output: Literal["crf", "softmax"] = output
        self.decoding: Literal["viterbi", "marginal"] = decoding
        self.holdout = holdout
        self.ensemble = ensemble
        self.columns = columns
        self.features = features
        self.pretrained = pretrained
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> TaggedSequences:
        """Sequences to examples."""
        from ..data.tagging.tagging import TaggedSequences
        from .transfer import Borrowed

        self._check()
        borrowed = Borrowed(self.pretrained) if self.pretrained else None
        return TaggedSequences(
            self.columns, self.features, self.holdout, self.trainer.seed, borrowed
        )

    def task(self, data: TaggedSequences) -> Task:
        """The network that sees what the data hold, its loss, its decoder and its figures."""
        from ..decoders.tags import TagDecoder
        from ..nn.networks.tagger import TaggerNetwork, TaggerSizes, combine
        from ..objectives.tags import TagLoss
        from ..train.ensemble import Ensemble
        from .tag_measure import TagMeasure

        tables = data.tokens_
        known = (tables.words, tables.characters, tables.looks) if tables else (None,) * 3
        sizes = TaggerSizes(
            *(0 if vocabulary is None else len(vocabulary) for vocabulary in known),
            channels=2 * len(data.channels_),
            tags=tuple(len(tags) for tags in data.tags_.values()),
        )
        links = [chain if self.output == "crf" else None for chain in data.links_]
        borrowed: Any = data.borrowed

        def build() -> TaggerNetwork:
            readers = borrowed.encoders(dropout=self.features.dropout) if borrowed else ()
            return TaggerNetwork(self.encoder, self.features, sizes, links, readers)

        network = Ensemble.of(build, self.ensemble, seed=self.trainer.seed, combine=combine)
        return Task(
            network,
            TagLoss(),
            TagDecoder(self.decoding),
            defaults=_training(data),
            measure=TagMeasure(data),
        )

    @property
    def classes_(self) -> dict[str, tuple[str, ...]]:
        """The tags of each set, in the order of the probabilities' columns."""
        self._check_fitted()
        return {name: tuple(tags) for name, tags in self._data.tags_.items()}

    def predict_proba(self, x: Any, name: str | None = None) -> list[Any]:
        """Probability of each tag of `classes_` at each token.

        Args:
            x: As for `predict`.
            name: The set of tags; the first one when left out.

        Returns:
            float32 [tokens, tags] for each sequence.

        Raises:
            InputError: It is not fitted, `x` cannot be read, or there is no such set.
        """
        return [chances for _, chances in self._answered(x, name)]

    def spans(self, x: Any, name: str | None = None) -> list[list[Span]]:
        """Spans that the tags mark: names of people, for instance.

        Args:
            x: As for `predict`.
            name: The set of tags; the first one when left out.

        Returns:
            For each sequence its spans: their kind, the first token, and the one after the last.

        Raises:
            InputError: It is not fitted, `x` cannot be read, or there is no such set.
        """
        from ..evaluation.tags import spans

        paths = [path.tolist() for path, _ in self._answered(x, name)]
        tags = self.classes_[name or next(iter(self.classes_))]
        return [spans([tags[t] for t in path]) for path in paths]

    @property
    def report_(self) -> TaskReport:
        """What the fit saw, did and reached, to be looked at; there after `fit`, not after `load`.

        Raises:
            AttributeError: The model was not fitted here, or nothing could be held out.
        """
        from .tag_report import tag_report

        return tag_report(self)

    @property
    def _data(self) -> TaggedSequences:
        return self.data_  # pyright: ignore[reportReturnType]

    def _answered(self, x: Any, name: str | None) -> list[Any]:
        """Chosen tags and probabilities of one set, sequence by sequence."""
        from ..data.tagging.answers import per_sequence
        from ..train.asking import answers

        self._check_fitted()
        names = list(self._data.tags_)
        if name is not None and name not in names:
            raise InputError(f"there are no tags called {name!r}; {nearest(name, names)}")
        place = names.index(name) if name is not None else 0
        examples = self._data.encode(x)
        size = self.trainer_.batch_size or 32
        found = answers(self.network_, self.task_.decode, examples, size)
        return per_sequence(examples.tagged, [answer[place] for answer in found])

    def _check(self) -> None:
        choices = {"output": ("crf", "softmax"), "decoding": ("viterbi", "marginal")}
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise InputError(f"{name}={value!r}: {nearest(str(value), known)}")
        share = isinstance(self.holdout, int | float) and not isinstance(self.holdout, bool)
        if not share or not 0 <= self.holdout < 1:
            raise InputError(f"holdout={self.holdout!r}: give a share from 0 to below 1")
        if isinstance(self.ensemble, bool) or not (
            isinstance(self.ensemble, int) and self.ensemble >= 1
        ):
            raise InputError(f"ensemble={self.ensemble!r}: give a whole number of at least 1")


def _training(data: TaggedSequences) -> dict[str, Any]:
    """Training that suits the amount of data; docs/log.md has the experiments."""
    letters = data.tokens_ is not None and data.tokens_.letters
    most = 8 if letters else 32
    size = min(most, max(4, data.count_ // STEPS_PER_EPOCH))
    steps = max(1, data.count_ // size)
    return {
        "lr": 3e-3,
        "batch_size": size,
        "max_epochs": min(100, max(40 if letters else 20, FEWEST_STEPS // steps)),
        "patience": 8,
        "weight_decay": 0.05 if letters else 0.02,
        "betas": (0.9, 0.98),
        "schedule": "cosine",
        "average": 0.995 if letters else 0.99,
    }


STEPS_PER_EPOCH, FEWEST_STEPS = 40, 400
