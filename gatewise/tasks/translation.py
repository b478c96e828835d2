"""Translation: one sequence of tokens to another, whatever their lengths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..data.text.tokens_spec import Tokens
from ..decoders.search import Search
from ..errors import InputError
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..nn.networks.writer import Writer
from ..train.spec import Trainer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from ..data.pairs.pairs import Pairs
    from ..inspection.task_report import TaskReport

PASSES = 12
"""Over the pairs, within the bounds below."""

FEWEST_STEPS, MOST_STEPS = 1500, 9000


class Translation(NamedTuple):
    """A translation that a search found.

    Attributes:
        text: As it is written.
        score: What it was ranked by.
        log_prob: Logarithm of its probability.
    """

    text: str
    score: float
    log_prob: float


class Alignment(NamedTuple):
    """Where the network looked while it wrote.

    Attributes:
        source: Tokens of the source, the end last.
        target: Tokens of the translation.
        weights: [target, source], rows adding up to 1; no columns without attention.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: np.ndarray

    def svg(self) -> str:
        """Draw it as a heat map, an `<svg>` element: the darker, the more it looked there."""
        from ..inspection.alignment import alignment_chart

        return alignment_chart(self.source, self.target, self.weights, "alignment")


class Translator(Estimator):
    """Translate texts, or turn any sequence of tokens into another one.

    An encoder reads the source in both directions, a decoder with attention writes the target,
    beam search finds the likeliest. The same machinery spells numbers as digits, corrects,
    transliterates and rewrites dates. Pairs are given as two files with a text a line, as a table
    with two columns, or as lists; a tenth of them, 1,000 at most, is held out to stop by and to
    judge on, beside a copy of the source and a word by word translation.

    Args:
        tokens: What a source is cut into.
        target_tokens: What a target is cut into, with a vocabulary of its own; None to share the
            source's vocabulary and embedding.
        encoder: The layers that read the source; the decoder has as many, of as many units as the
            encoder has outputs.
        writer: The decoder: its attention, embeddings and dropout.
        search: How translations are searched for.
        smoothing: Share of the probability that is spread over all tokens in training.
        holdout: Pairs to hold out; a tenth, and no more than 1,000, when left out.
        max_length: Tokens of a side of a pair; longer ones are not trained on.
        ensemble: Networks of different seeds, whose probabilities are averaged.
        trainer: How it is trained.

    Example:
        >>> pairs = [(f"{a}{b}", f"{b}{a}") for a in "abcdef" for b in "abcdef"]
        >>> model = Translator(
        ...     Tokens("char"),
        ...     encoder=Encoder(hidden_size=8, bidirectional=True),
        ...     writer=Writer(embedding=8),
        ...     trainer=Trainer(max_steps=10),
        ... ).fit(pairs)
        >>> len(model.predict(["ab", "fa"]))
        2
    """

    verb: ClassVar[str | None] = "translator"
    inputs: ClassVar[Mapping[str, str]] = {
        "source": "File of texts, one a line; or a table (.csv, .tsv, .parquet) with two columns.",
        "target?": "File of their translations, in the same order; none beside a table.",
    }

    def __init__(
        self,
        tokens: Tokens = Tokens("subword"),
        target_tokens: Tokens | None = None,
        *,
        encoder: Encoder = Encoder(hidden_size=192, bidirectional=True, dropout=0.3),
        writer: Writer = Writer(),
        search: Search = Search(),
        smoothing: float = 0.1,
        holdout: int | None = None,
        max_length: int = 200,
        ensemble: int = 1,
        trainer: Trainer = Trainer(),
    ) -> None:
        self.tokens = tokens
        self.target_tokens = target_tokens
        self.encoder = encoder
        self.writer = writer
        self.search = search
        self.smoothing = smoothing
        self.holdout = holdout
        self.max_length = max_length
        self.ensemble = ensemble
        self.trainer = trainer

    def data(self) -> Pairs:
        """Pairs of texts to pairs of token sequences."""
        from ..data.pairs.pairs import Pairs

        self._check()
        return Pairs(
            self.tokens,
            self.target_tokens or self.tokens,
            joint=self.target_tokens is None,
            holdout=self.holdout,
            max_length=self.max_length,
            seed=self.trainer.seed,
        )

    def task(self, data: Pairs) -> Task:
        """The network of the vocabularies' sizes, its loss, beam search, and figures."""
        from ..nn.networks.translation import TranslationNetwork, joined
        from ..objectives.translation import TranslationLoss
        from ..train.ensemble import Ensemble
        from .translating import Figures, sampler, searching

        defaults = self._defaults(data)
        steps = self.trainer.resolve(defaults).max_steps or MOST_STEPS
        own = None if self.target_tokens is None else len(data.target_)
        network = Ensemble.of(
            lambda: TranslationNetwork(
                self.encoder, self.writer, len(data.source_), own, sampling_steps=steps
            ),
            self.ensemble,
            seed=self.trainer.seed,
            combine=joined,
        )
        return Task(
            network,
            TranslationLoss(self.smoothing, self.writer.coverage),
            searching(self.search, data),
            defaults=defaults,
            measure=Figures(data),
            sample=sampler(data),
        )

    @property
    def report_(self) -> TaskReport:
        """What the fit reached, with alignments and the worst sentences; there after `fit` only.

        Raises:
            AttributeError: The model was not fitted here, or nothing could be held out.
        """
        from .translation_report import translation_report

        return translation_report(self)

    def translate(
        self, lines: str | Sequence[str], *, n_best: int = 1, beam: int | None = None
    ) -> list[list[Translation]]:
        """Translate, with what else was found.

        Args:
            lines: Texts, or one text.
            n_best: Translations of each, at most.
            beam: Hypotheses kept; those of the model's `search` when left out, and as many as are
                asked for at least.

        Returns:
            For each text, translations, best first.

        Raises:
            InputError: It is not fitted, or an argument is not as above.

        Example:
            >>> pairs = [(f"{a}{b}", f"{b}{a}") for a in "abcdef" for b in "abcdef"]
            >>> model = Translator(
            ...     Tokens("char"), encoder=Encoder(hidden_size=8), writer=Writer(embedding=8),
            ...     trainer=Trainer(max_steps=5),
            ... ).fit(pairs)
            >>> len(model.translate("ab", n_best=3)[0])
            3
        """
        from .translating import found

        self._check_fitted()
        data: Any = self.data_
        texts = self._texts(lines)
        return [
            [Translation(data.written(text, h), h.score, h.log_prob) for h in hypotheses]
            for text, hypotheses in found(self, texts, n_best, beam)
        ]

    def alignments(self, lines: str | Sequence[str]) -> list[Alignment]:
        """Say where the network looks while it writes the best translation of each text.

        Args:
            lines: Texts, or one text.

        Raises:
            InputError: It is not fitted, or a text is none.
        """
        from .translating import aligned, found

        self._check_fitted()
        data: Any = self.data_
        texts = self._texts(lines)
        return [aligned(data, text, best) for text, (best, *_) in found(self, texts, 1, None)]

    def _texts(self, lines: Any) -> list[Any]:
        if not isinstance(lines, Iterable):
            raise InputError(f"lines={lines!r}: give texts, or one text")
        return [lines] if isinstance(lines, str) else list(lines)

    def _defaults(self, data: Pairs) -> dict[str, Any]:
        """Training that suits the amount of data."""
        batch = 64
        steps = int(min(max(PASSES * data.count_ / batch, FEWEST_STEPS), MOST_STEPS))
        return {
            "lr": 2e-3,
            "batch_size": batch,
            "max_steps": steps,
            "epoch_examples": batch * max(20, steps // 20),
            "patience": 6,
            "weight_decay": 0.01,
            "betas": (0.9, 0.98),
            "schedule": "cosine",
            "warmup": 0.05,
            "average": 0.998,
        }

    def _check(self) -> None:
        whole = {"max_length": (self.max_length, 2), "ensemble": (self.ensemble, 1)}
        if self.holdout is not None:
            whole["holdout"] = (self.holdout, 0)
        for name, (value, least) in whole.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"{name} is {value!r}, and has to be a whole number from {least}")
        smoothing: Any = self.smoothing
        if type(smoothing) not in (int, float) or not 0 <= smoothing < 1:
            raise InputError(f"smoothing is {self.smoothing!r}, and has to be from 0 to below 1")
