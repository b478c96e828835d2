from __future__ import annotations

import subprocess
import sys

import torch

from gatewise.train.adamw import AdamW


def test_it_is_torchs_when_gradients_come_and_go():
    ours = [torch.nn.Parameter(torch.randn(3, 2)), torch.nn.Parameter(torch.randn(4))]
    theirs = [torch.nn.Parameter(w.detach().clone()) for w in ours]
    one = AdamW(ours, betas=(0.8, 0.95), weight_decay=0.1)
    other = torch.optim.AdamW(
        [
            {"params": theirs[:1], "weight_decay": 0.1},
            {"params": theirs[1:], "weight_decay": 0.0},
        ],
        betas=(0.8, 0.95),
    )
    for step in range(40):
        one.zero_grad()
        other.zero_grad()
        for a, b in zip(ours, theirs, strict=True):
            if a.ndim == 2 or step % 3:
                a.grad = torch.randn(a.shape)
                b.grad = a.grad.clone()
        lr = 0.1 / (step + 1)
        for group in other.param_groups:
            group["lr"] = lr
        one.step(lr)
        other.step()
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).abs().max() < 1e-6


def test_a_fit_does_not_import_torchs_compiler():
    code = (
        "import sys; from tests.toys import *; Regressor(trainer=Trainer(max_epochs=1))"
        ".fit(*problem()); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
