"""Language models: text of any kind, read token by token, and written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, cast, get_args

from ..data.text.tokens_spec import Tokens
from ..decoders.sampling_spec import Sampling
from ..errors import InputError
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..nn.networks.language_spec import Regularization
from ..train.spec import Trainer
from .language_presets import DEFAULT, Preset, chosen, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..data.language.texts import Texts
    from ..inspection.task_report import TaskReport
    from ..nn.networks.language import TokenEncoder
    from .transfer import Borrowed

ADAPTIVE_FROM = 20_000
"""Tokens from which on the softmax comes in parts."""


class LanguageModel(Estimator):
    r"""Learn to say which token comes next in a text, to judge texts and to write them.

    The text is read as a stream: what a network has in its memory goes on from window to window,
    so that it may look back farther than gradients reach. The last part of the text is held out to
    stop by, and to put the model beside counting: unigrams, a 5-gram with Kneser-Ney smoothing, and
    general compressors. `evaluate` has two options: `dynamic`, a `gatewise.train.dynamic.Dynamic`,
    lets weights follow the text, and `cache`, a `gatewise.decoders.neural_cache.Cache`, looks back.

    Args:
        tokens: What the text is cut into: characters, bytes, words or learned subwords.
        preset: "small" suits texts of a few megabytes and needs no tuning; "awd-lstm" is the whole
            recipe of Merity, Keskar & Socher 2018 (https://arxiv.org/abs/1708.02182). A preset
            chooses what is left as it is in the other parameters, also each field of `encoder`
            that is at its default here; `encoder_` and so on say what came of it.
        direction: "forward"; "backward" reads from the end of the text.
        pretrained: Folder of a language model to go on from: its tokens, its layers and their
            weights are taken, and `tokens`, `preset`, `embedding_size`, `tied` and `encoder` of
            here say nothing. `direction` has to be that model's.
        holdout: Share of the text, its end, that is held out.
        window: Tokens between two steps of training, through which gradients flow.
        embedding_size: Features of a token.
        tied: Whether the softmax has the embedding's weights.
        regularization: What is dropped in training, and what outputs cost.
        encoder: The recurrent layers.
        trainer: How it is trained.

    Example:
        >>> model = LanguageModel(encoder=Encoder(hidden_size=16), trainer=Trainer(max_steps=5))
        >>> model = model.fit("to be or not to be, that is the question\\n" * 50)
        >>> bool(model.evaluate("to be").table["model"]["nats_per_token"] < 4)
        True
    """

    verb = "language-model"
    inputs: ClassVar[Mapping[str, str]] = {"files...": "Text to learn from, UTF-8, also gzipped."}

    def __init__(
        self,
        *,
        tokens: Tokens = Tokens("char"),
        preset: Preset = "small",
        direction: Literal["forward", "backward"] = "forward",
        pretrained: str | None = None,
        holdout: float = 0.1,
        window: int | None = None,
        embedding_size: int | None = None,
        tied: bool | None = None,
        regularization: Regularization = Regularization(),
        encoder: Encoder = DEFAULT,
        trainer: Trainer = Trainer(),
    ) -> None:
        self.tokens = tokens
        self.preset: Preset = preset
        self.direction: Literal["forward", "backward"] = direction
        self.pretrained = pretrained
        self.holdout = holdout
        self.window = window
        self.embedding_size = embedding_size
        self.tied = tied
        self.regularization = regularization
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> Texts:
        """Text to a row of tokens."""
        from ..data.language.texts import Texts
        from .transfer import Borrowed

        self._check()
        preset = settings(self.preset)
        return Texts(
            self.tokens,
            window=self.window or preset.window,
            jitter=preset.jitter,
            holdout=self.holdout,
            reverse=self.direction == "backward",
            borrowed=Borrowed(self.pretrained) if self.pretrained else None,
        )

    def task(self, data: Texts) -> Task:
        """Embedding, recurrent layers and softmax; surprise as the loss."""
        from ..decoders.token_nats import TokenNats
        from ..nn.networks.language import LanguageNetwork
        from ..objectives.language import LanguageLoss
        from .language_judging import Judge
        from .language_writing import sampler

        borrowed = cast("Borrowed | None", data.borrowed)
        shape = borrowed.shape(self) if borrowed else self
        preset = settings(shape.preset)
        noise = self.regularization.over(preset.regularization)
        size = len(data.vocabulary_)
        cutoffs = [n for n in (2_000, 10_000, 50_000) if n < size] if size > ADAPTIVE_FROM else []
        tied = preset.tied if shape.tied is None else shape.tied
        network = LanguageNetwork(shape.reader(size), noise, tied=tied, cutoffs=cutoffs)
        # Beside `trainer_`, so that the saved settings say what ran.
        self.encoder_, self.regularization_ = chosen(shape.encoder, preset), noise
        self.window_, self.tied_ = data.window, tied
        self.embedding_size_ = network.reader.embedding.embedding_dim
        if borrowed:
            borrowed.lend(network)
        return Task(
            network,
            LanguageLoss(noise.alpha or 0.0, noise.beta or 0.0),
            TokenNats(),
            defaults=preset.trainer,
            measure=Judge(data),
            sample=sampler(data) if self.direction == "forward" else None,
        )

    def reader(self, size: int, *, dropout: float | None = None) -> TokenEncoder:
        """Build the part of the network that turns tokens into features, with first weights.

        Args:
            size: Tokens of the vocabulary.
            dropout: Rate of what is dropped of its input and between its layers while training;
                what `regularization` says when left out.
        """
        from ..nn.networks.language import TokenEncoder

        preset = settings(self.preset)
        noise = self.regularization.over(preset.regularization)
        if dropout is not None:
            noise = Regularization(input=dropout, hidden=dropout, locked=True)
        width = self.embedding_size or preset.embedding_size
        return TokenEncoder(
            size,
            width,
            chosen(self.encoder, preset),
            noise,
            width if preset.last_size else None,
            residual=preset.residual,
        )

    def stream(
        self,
        prompt: str = "",
        sampling: Sampling = Sampling(),
        *,
        most: int | None = None,
        stop: str | Sequence[str] = (),
        weights: Literal["bfloat16", "int8"] | None = None,
    ) -> Iterator[str]:
        """Write on from a prompt, piece by piece as they come, in constant memory.

        Args:
            prompt: What the text begins with; it is not repeated.
            sampling: How tokens are drawn.
            most: Tokens to write at most; None to go on until the model ends the text, which it
                learns where it is given several texts, and never does after a single one.
            stop: Texts at which to stop, or one text; they are left out.
            weights: Type of the recurrent weights, for speed; their own when left out.

        Raises:
            InputError: It is not fitted, or reads backwards.

        Example:
            >>> model = LanguageModel(encoder=Encoder(hidden_size=8), trainer=Trainer(max_steps=2))
            >>> pieces = model.fit("la la la! " * 60).stream("la", Sampling(seed=0), most=5)
            >>> len(list(pieces)) <= 6
            True
        """
        from .language_writing import write

        self._check_fitted()
        if self.direction == "backward":
            raise InputError("a model with direction='backward' cannot write: fit a forward one")
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
            raise InputError(f"most is {most!r}, and has to be a whole number, or None")
        if not isinstance(sampling, Sampling):
            raise InputError(
                f"sampling={sampling!r}: give a gatewise.decoders.sampling_spec.Sampling"
            )
        stops = [stop] if isinstance(stop, str) else stop
        if not isinstance(stops, Sequence) or not all(isinstance(text, str) for text in stops):
            raise InputError(f"stop={stop!r}: give a text, or several")
        return write(
            self.network_, self._data, prompt, sampling, most=most, stop=stop, weights=weights
        )

    def generate(
        self,
        prompt: str = "",
        sampling: Sampling = Sampling(),
        *,
        most: int = 500,
        stop: str | Sequence[str] = (),
    ) -> str:
        """Write on from a prompt; `stream` gives the same piece by piece.

        Args:
            prompt: What the text begins with; it is not repeated.
            sampling: How tokens are drawn.
            most: Tokens to write at most.
            stop: Texts at which to stop, or one text; they are left out.

        Raises:
            InputError: It is not fitted, or reads backwards.
        """
        return "".join(self.stream(prompt, sampling, most=most, stop=stop))

    @property
    def report_(self) -> TaskReport:
        """What the fit reached and what the model writes, to be looked at; there after `fit`.

        Raises:
            AttributeError: The model was not fitted here.
        """
        from .language_report import language_report

        return language_report(self)

    def token_scores(self, text: str) -> list[tuple[str, float]]:
        """What each token of a text costs after those before it, in nats.

        Args:
            text: A text; a path is read as one, too.

        Raises:
            InputError: It is not fitted, or the text cannot be read.
        """
        table = self.predict(text)
        return list(zip(table["token"].tolist(), table["nats"].tolist(), strict=True))

    @property
    def _data(self) -> Texts:
        return cast("Texts", self.data_)

    def _check(self) -> None:
        for name in ("window", "embedding_size"):
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 1
            ):
                raise InputError(f"{name} is {value!r}, and has to be a whole number of at least 1")
        if not 0 <= self.holdout <= 0.5:
            raise InputError(f"holdout is {self.holdout!r}, and has to be a share from 0 to 0.5")
        choices: dict[str, Sequence[str]] = {
            "preset": get_args(Preset),
            "direction": ("forward", "backward"),
        }
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise InputError(f"{name} is {value!r}, and has to be one of {', '.join(known)}")
