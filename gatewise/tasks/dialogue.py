"""Dialogue: replies that are written or chosen, ranked, and held back where it is unsure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..data.text.tokens_spec import Tokens
from ..decoders.sampling_spec import Sampling
from ..decoders.search import Search
from ..errors import InputError, nearest
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..train.spec import Trainer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from ..data.dialogue.dialogues import Dialogues
    from ..inspection.task_report import TaskReport
    from .dialogue_chat import Chat, Ranked

WAYS = ("auto", "beam", "sample", "choose")


class Dialogue(Estimator):
    """Answer in a conversation, from conversations that were learned.

    Two recurrent readers follow the turns, one to write a reply, one to tell which of several
    fits. What is written is ranked by how likely it is and by how well it fits; a reply that is
    likely to be wrong is held back, and the fallback line is said instead. Such a model knows
    nothing but what it was shown: it learns how people reply in its conversations, not what is
    true. On a few thousand turns, expect sensible replies to what is like them, and to most else
    that it is unsure.

    Whole conversations are held out to stop by, to calibrate its confidence on, and to put its
    figures beside those of retrieval by TF-IDF.

    Args:
        tokens: What replies are written in.
        context: Turns that training looks back on; in a chat all turns count.
        reply: "beam" writes the likeliest replies and takes the best of them, "sample" draws them,
            "choose" takes the best of those that were learned, "auto" whichever of these was right
            most often on what was held out: with little data, that is to choose.
        diversity: From 0 for the likeliest reply to 1 for the one that fits best.
        sure: Chance of being right below which it says the fallback line; 0 to always reply.
        fallback: That line.
        search: How "beam" searches.
        sampling: How "sample" draws.
        encoder: The layers that write.
        trainer: How it is trained.

    Example:
        >>> pairs = [("Hello", "Hi!"), ("Who are you?", "A program."), ("Bye", "See you.")]
        >>> model = Dialogue(reply="choose", sure=0.0, trainer=Trainer(max_steps=5)).fit(pairs)
        >>> model.predict(["Who are you"])
        array(['A program.'], dtype=object)
    """

    verb: ClassVar[str | None] = "dialogue"
    inputs: ClassVar[Mapping[str, str]] = {
        "files...": "Conversations: .yml as chatterbot's, .jsonl, .tsv or .txt, also with .gz."
    }

    def __init__(
        self,
        *,
        tokens: Tokens = Tokens("word"),
        context: int = 4,
        reply: Literal["auto", "beam", "sample", "choose"] = "auto",
        diversity: float = 0.5,
        sure: float = 0.5,
        fallback: str = "I am not sure what to say to that.",
        search: Search = Search(no_repeat=3),
        sampling: Sampling = Sampling(temperature=0.7, top_p=0.9, seed=0),
        encoder: Encoder = Encoder(),
        trainer: Trainer = Trainer(),
    ) -> None:
        self.tokens = tokens
        self.context = context
        self.reply: Literal["auto", "beam", "sample", "choose"] = reply
        self.diversity = diversity
        self.sure = sure
        self.fallback = fallback
        self.search = search
        self.sampling = sampling
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> Dialogues:
        """Conversations to examples."""
        from ..data.dialogue.dialogues import Dialogues

        self._check()
        return Dialogues(self.tokens, self.context)

    def task(self, data: Dialogues) -> Task:
        """A network that matches and writes, its loss, and what ranks and holds back replies."""
        from ..data.batches import Batches
        from ..data.text.vocabulary import END, PAD, START, UNKNOWN
        from ..decoders.answers import Manner
        from ..decoders.reply import Reply
        from ..nn.networks.dialogue import DialogueNetwork
        from ..objectives.dialogue import DialogueLoss
        from .dialogue_measure import DialogueMeasure
        from .dialogue_writing import sampler

        network = DialogueNetwork(self.encoder, len(data.vocabulary_), len(data.forms_))
        manner = Manner(
            self.reply, self.search, self.sampling, self.diversity, self.sure, self.fallback
        )
        ends = (PAD, UNKNOWN, START, END)
        decode = Reply(
            manner,
            data.coder,
            data.library,
            ends,
            lambda: Batches(data.beside_, DEFAULTS["batch_size"]),
        )
        return Task(
            network,
            DialogueLoss(),
            decode,
            defaults=self._defaults(data),
            measure=DialogueMeasure(data),
            sample=sampler(data),
        )

    @property
    def report_(self) -> TaskReport:
        """What the fit reached, with replies to what was held out; after `fit`, not after `load`.

        Raises:
            AttributeError: The model was not fitted here, or nothing could be held out.
        """
        from .dialogue_report import dialogue_report

        return dialogue_report(self)

    def rank(self, context: str | Sequence[str], candidates: Sequence[str]) -> list[Ranked]:
        """Say which of several replies fit a conversation, best first.

        Args:
            context: The last turn, or all turns so far.
            candidates: Replies.

        Returns:
            Each with its score and its share of the probability.

        Raises:
            InputError: It is not fitted, or there is no turn or no candidate.

        Example:
            >>> pairs = [("Hello", "Hi!"), ("Who are you?", "A program."), ("Bye", "See you.")]
            >>> model = Dialogue(trainer=Trainer(max_steps=5)).fit(pairs)
            >>> ranked = model.rank("Which program?", ["See you.", "The program."])
            >>> ranked[0].text, round(sum(r.share for r in ranked), 5)
            ('The program.', 1.0)
        """
        from .dialogue_chat import rank

        self._check_fitted()
        return rank(self, context, candidates)

    def match(self, contexts: Any, candidates: Sequence[str]) -> np.ndarray:
        """Score many replies for many conversations.

        Args:
            contexts: As for `predict`.
            candidates: Replies.

        Returns:
            float64 [contexts, candidates]: the higher, the better it fits; two candidates of one
            conversation differ by the logarithm of how much likelier one is to be the reply.

        Raises:
            InputError: It is not fitted, or there is an empty turn or no candidate.
        """
        from .dialogue_chat import match

        self._check_fitted()
        return match(self, contexts, candidates)

    def stream(self, reply: Literal["auto", "beam", "sample", "choose"] | None = None) -> Chat:
        """Begin a conversation; what was said is kept as a state of constant size.

        Args:
            reply: As for the constructor; None for the model's own.

        Raises:
            InputError: It is not fitted, or there is no such way to reply.

        Example:
            >>> pairs = [("Hello", "Hi!"), ("Who are you?", "A program."), ("Bye", "See you.")]
            >>> model = Dialogue(sure=0.0, trainer=Trainer(max_steps=5)).fit(pairs)
            >>> chat = model.stream(reply="choose")
            >>> chat.say("hello"), chat.say("who are you?")
            ('Hi!', 'A program.')
        """
        from .dialogue_chat import Chat

        self._check_fitted()
        if reply is not None:
            check_way(reply)
        return Chat(self, reply)

    def _defaults(self, data: Dialogues) -> dict[str, Any]:
        """Training that suits the amount of data; docs/log.md has the experiments."""
        steps = -(-len(data.pairs_) // DEFAULTS["batch_size"])
        return {**DEFAULTS, "max_epochs": max(DEFAULTS["max_epochs"], FEWEST_STEPS // steps)}

    def _check(self) -> None:
        check_way(self.reply)
        if isinstance(self.context, bool) or not isinstance(self.context, int) or self.context < 1:
            raise InputError(f"context={self.context!r}: give a whole number of at least 1")
        for name in ("diversity", "sure"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise InputError(f"{name}={value!r}: give a number from 0 to 1")
        if not isinstance(self.fallback, str) or not self.fallback.strip():
            raise InputError(f"fallback={self.fallback!r}: give a line of text")


def check_way(reply: object) -> None:
    """Refuse a way to reply that there is not."""
    if reply not in WAYS:
        raise InputError(f"reply={reply!r}: give one of these; {nearest(str(reply), WAYS)}")


DEFAULTS: dict[str, Any] = {
    "lr": 2e-3,
    "batch_size": 64,
    "max_epochs": 40,
    "patience": 8,
    "weight_decay": 0.01,
    "average": 0.99,
}
"""Training that suits a few thousand turns."""

FEWEST_STEPS = 300
"""Of less data, more epochs."""
