"""How long the fit of a classifier takes, beside a plain loop in PyTorch over the same network."""

from __future__ import annotations

import time
from statistics import median

import torch
from torch import Tensor, nn

from gatewise.data.sequences.holdout import Holdout
from gatewise.data.sequences.sequences import Sequences
from gatewise.datasets.labelled import ucr
from gatewise.nn.networks.classifier import moments
from gatewise.tasks.classification import SequenceClassifier
from gatewise.train.spec import Trainer

from .harness import Result

UNITS, RATE, BATCH, EPOCHS = 64, 5e-3, 32, 60
DROPOUT, NOISE, SMOOTHING = 0.4, 0.2, 0.05


class PlainNetwork(nn.Module):
    """The classifier's network as one writes it in PyTorch: packed sequences, masked mean.

    Args:
        channels: Of the input.
        classes: To tell apart.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, UNITS, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(2 * UNITS, classes)
        self.skip = nn.Linear(2 * channels, classes, bias=False)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Logits, [batch, classes], of [batch, time, channels]."""
        if self.training:
            x = x + NOISE * torch.randn_like(x)
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        y, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        # Beyond a sequence's end, the layer's output is zero.
        pooled = y.sum(1) / lengths.unsqueeze(1)
        return self.head(self.dropout(pooled)) + self.skip(moments(x, lengths))


def plain_fit(train: Sequences, seed: int) -> float:
    """Train the plain network as a tutorial does; seconds."""
    assert train.values is not None
    assert train.labels is not None
    started = time.perf_counter()
    torch.manual_seed(seed)
    steps = torch.from_numpy(train.values[0])
    for value in train.values[1:]:
        steps = torch.cat([steps, torch.from_numpy(value)])
    mean, std = steps.mean(0), steps.std(0)
    values = [(torch.from_numpy(value) - mean) / std for value in train.values]
    classes = sorted(set(train.labels.tolist()))
    labels = torch.tensor([classes.index(label) for label in train.labels])
    network = PlainNetwork(values[0].shape[1], len(classes))
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
    total = EPOCHS * -(-len(values) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=total)
    objective = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(values)).split(BATCH):
            parts = [values[i] for i in chosen.tolist()]
            lengths = torch.tensor([len(part) for part in parts])
            x = nn.utils.rnn.pad_sequence(parts, batch_first=True)
            optimizer.zero_grad()
            objective(network(x, lengths), labels[chosen]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return time.perf_counter() - started


def our_fit(train: Sequences, seed: int) -> float:
    """Fit the classifier for as many epochs, all that it does included; seconds."""
    trainer = Trainer(lr=RATE, batch_size=BATCH, max_epochs=EPOCHS, seed=seed)
    model = SequenceClassifier(holdout=Holdout(0.0), trainer=trainer)
    started = time.perf_counter()
    model.fit(train, progress=False)
    return time.perf_counter() - started


def fit_times(seeds: tuple[int, ...], result: Result) -> None:
    """Time both on JapaneseVowels, in turn, and add what came out."""
    train, _ = ucr("JapaneseVowels")
    # Kernels are compiled once for a machine, and lie in its cache from then on.
    SequenceClassifier(holdout=Holdout(0.0), trainer=Trainer(max_steps=2)).fit(train)
    times: dict[str, list[float]] = {"model": [], "plain PyTorch loop": []}
    for seed in seeds:
        times["model"].append(our_fit(train, seed))
        times["plain PyTorch loop"].append(plain_fit(train, seed))
    for method, seconds in times.items():
        result.rows.append({
            "set": "fit_time", "method": method, "seed": "median", "seconds": median(seconds)
        })  # fmt: skip
    own, plain = (median(seconds) for seconds in times.values())
    result.figures |= {"fit_seconds": own, "fit_plain_torch_seconds": plain}
    result.figures["fit_share_of_plain_torch"] = own / plain
