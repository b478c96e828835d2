"""The loss of a translation against its formula."""

from types import SimpleNamespace

import torch

from gatewise.objectives.translation import TranslationLoss


def made():
    torch.manual_seed(0)
    logits = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    output = SimpleNamespace(logits=logits, weights=weights.softmax(-1))
    batch = SimpleNamespace(
        answers=torch.tensor([3, 1, 6, 0, 2]), target_lengths=torch.tensor([4, 1])
    )
    return output, batch


def test_smoothing_mixes_the_label_with_all_tokens():
    output, batch = made()
    log = output.logits.log_softmax(-1)
    own = -log[torch.arange(5), batch.answers].mean()
    torch.testing.assert_close(TranslationLoss()(output, batch), own)
    wanted = 0.9 * own - 0.1 * log.mean(-1).mean()
    torch.testing.assert_close(TranslationLoss(0.1)(output, batch), wanted)


def test_looking_twice_costs():
    output, batch = made()
    extra, steps = 0.0, 0
    for row, length in enumerate(batch.target_lengths.tolist()):
        seen = torch.zeros(3, dtype=torch.float64)
        for t in range(length):
            extra = extra + torch.minimum(output.weights[row, t], seen).sum()
            seen = seen + output.weights[row, t]
            steps += 1
    wanted = TranslationLoss()(output, batch) + 0.5 * extra / steps
    torch.testing.assert_close(TranslationLoss(coverage=0.5)(output, batch), wanted)


def test_the_score_is_the_share_of_right_tokens():
    output, batch = made()
    output.logits = torch.zeros(5, 7)
    output.logits[torch.arange(3), batch.answers[:3]] = 1.0
    output.logits[3, 4] = output.logits[4, 4] = 1.0
    torch.testing.assert_close(TranslationLoss().score(output, batch), torch.tensor(0.6))
