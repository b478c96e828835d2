"""Find a number for a sequence: many steps in, one answer with its quantiles out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..data.sequences.columns_spec import SequenceColumns
from ..data.sequences.holdout import Holdout
from ..data.text.tokens_spec import Tokens
from ..errors import InputError
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..nn.networks.reading import Reading
from ..train.spec import Trainer

if TYPE_CHECKING:
    import numpy as np

    from ..data.labels.labelled import Labelled
    from ..inspection.task_report import TaskReport


class SequenceRegressor(Estimator):
    """Find a number for a sequence, with quantiles: remaining life, a dose, a duration, a rating.

    Sequences may be of any lengths. Missing values are marked by channels of their own, irregular
    time gaps are read; quantiles are set right on what is held out, and a linear model is listened
    to as far as that helps there. `score` is the mean absolute error of the median, negated.

    Args:
        quantiles: Levels to answer with beside the median, between 0 and 1.
        reading: How the network reads a sequence, and what it drops while training.
        ensemble: Networks of different seeds, whose quantiles are averaged.
        holdout: What is held out.
        columns: Which columns of a table mean what; found by name when left out.
        tokens: What texts are cut into; letters for FASTA.
        encoder: The recurrent layers.
        trainer: How it is trained.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> x = [rng.normal(size=n) for n in rng.integers(4, 9, 40)]
        >>> y = [a.mean() for a in x]
        >>> model = SequenceRegressor(trainer=Trainer(max_epochs=4)).fit(x, y)
        >>> model.predict_quantiles(x).shape
        (40, 3)
    """

    verb: ClassVar[str | None] = "regressor"
    kind: ClassVar[Literal["classifier", "regressor"] | None] = "regressor"

    def __init__(
        self,
        *,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        reading: Reading = Reading(dropout=0.1, input_noise=0.0),
        ensemble: int = 1,
        holdout: Holdout = Holdout(),
        columns: SequenceColumns = SequenceColumns(),
        tokens: Tokens = Tokens(),
        encoder: Encoder = Encoder(hidden_size=64, bidirectional=True),
        trainer: Trainer = Trainer(),
    ) -> None:
        self.quantiles = quantiles
        self.reading = reading
        self.ensemble = ensemble
        self.holdout = holdout
        self.columns = columns
        self.tokens = tokens
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> Labelled:
        """Sequences to batches, answers to units of their deviation."""
        from ..data.labels.answers import Measures
        from ..data.labels.labelled import Labelled
        from ..nn.networks.classifier import takes_gaps
        from .labels import check_settings

        check_settings(self)
        return Labelled(
            Measures(self.levels),
            columns=self.columns,
            tokens=self.tokens,
            holdout=self.holdout,
            gap_channel=not takes_gaps(self.encoder.cell),
            seed=self.trainer.seed,
        )

    def task(self, data: Labelled) -> Task:
        """The network, pinball loss, calibrated quantiles, and figures beside baselines."""
        from ..decoders.labels import Quantiles
        from ..objectives.labels import QuantileLoss
        from .label_figures import MeasureNumbers
        from .labels import sequence_network, training

        answers: Any = data.answers_
        return Task(
            sequence_network(self, data, len(self.levels), self.levels.index(0.5)),
            QuantileLoss(self.levels, answers.unit),
            Quantiles(self.levels),
            defaults=training(data, self.reading.architecture),
            measure=MeasureNumbers(data),
        )

    @property
    def levels(self) -> tuple[float, ...]:
        """Quantile levels in order, the median among them.

        Raises:
            InputError: One is not between 0 and 1.
        """
        given = [self.quantiles] if isinstance(self.quantiles, float) else list(self.quantiles)
        if not all(isinstance(q, float) and 0 < q < 1 for q in given):
            raise InputError(f"quantiles={self.quantiles!r}: give levels between 0 and 1")
        return tuple(sorted({*given, 0.5}))

    @property
    def report_(self) -> TaskReport:
        """What the fit saw, did and reached, to be looked at; there after `fit`, not after `load`.

        Raises:
            AttributeError: The model was not fitted here.
        """
        from .regression_report import regression_report

        return regression_report(self)

    def predict_quantiles(self, x: Any) -> np.ndarray:
        """Quantiles at each of `levels`, float64 [sequences, levels].

        Raises:
            InputError: It is not fitted, or `x` cannot be read.
        """
        from .labels import decoded

        self._check_fitted()
        return self.data_.answers_.decoded(decoded(self, x))  # pyright: ignore[reportAttributeAccessIssue]
