from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from gatewise.data.contract import Fold
from gatewise.errors import InputError
from gatewise.train import Checkpoint, Ensemble, Trainer, run
from gatewise.train.checkpoint import NAME

from ..toys import Killed, Layers, Net, Rows, kill_after, squared

TRAINER = Trainer(lr=0.02, batch_size=8, max_epochs=12)


def rows(count=40, seed=0, noise=0.1):
    x = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return Rows(x, x[:, :1] - x[:, 1:2].sin(), noise)


def fold(slow=0.0):
    train = rows()
    if slow:
        batch = train.batch
        train.batch = lambda *a: (time.sleep(slow), batch(*a))[1]
    return Fold(train, rows(16, 1, 0.0))


def build(members=1):
    def one():
        return Net(3, 1, Layers(8, 0.3))

    return Ensemble.of(one, members, seed=0)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def interrupted(network, folder, after, trainer=TRAINER):
    """Run until so many batches were asked for, with a checkpoint after every step."""
    data = fold()
    kill_after(data.train, after)
    with pytest.raises(Killed):
        run(network, squared, data, trainer, checkpoint=Checkpoint(folder, every=0.0))


@pytest.mark.parametrize("after", [1, 4, 5, 6, 23])
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_run_that_is_taken_up_again_ends_with_the_same_bits(tmp_path, after, average):
    trainer = Trainer(lr=0.02, batch_size=8, max_epochs=12, average=average)
    whole = build()
    history = run(whole, squared, fold(), trainer)
    interrupted(build(), tmp_path, after + 1, trainer)
    log = tmp_path / "log.jsonl"
    again = build()
    resumed = run(again, squared, fold(), trainer, checkpoint=tmp_path, log=log)
    assert torch.equal(weights(whole), weights(again))
    assert [e.valid_loss for e in resumed.epochs] == [e.valid_loss for e in history.epochs]
    assert [e.loss for e in resumed.epochs] == [e.loss for e in history.epochs]
    assert len(log.read_text().splitlines()) == len(history.epochs)


def test_an_ensemble_goes_on_with_the_member_it_was_at(tmp_path):
    whole = build(3)
    history = run(whole, squared, fold(), TRAINER)
    interrupted(build(3), tmp_path, 5 * 12 + 7)
    again = build(3)
    resumed = run(again, squared, fold(), TRAINER, checkpoint=tmp_path)
    assert torch.equal(weights(whole), weights(again))
    assert len(resumed.epochs) == len(history.epochs) == 36


def test_a_finished_run_is_not_run_again(tmp_path):
    first, second = build(), build()
    history = run(first, squared, fold(), TRAINER, checkpoint=tmp_path)
    data = fold()
    data.train.batch = None  # Nobody asks.
    data = Fold(data.train, data.valid, "known")
    with pytest.raises(InputError, match="data was"):
        run(second, squared, data, TRAINER, checkpoint=tmp_path)
    assert run(second, squared, fold(), TRAINER, checkpoint=tmp_path).epochs == history.epochs
    assert torch.equal(weights(first), weights(second))


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    interrupted(build(), tmp_path, 8)
    other = Trainer(lr=0.01, batch_size=8, max_epochs=12)
    with pytest.raises(InputError, match=r"another run \(trainer.lr was 0.02, is 0.01\): name"):
        run(build(), squared, fold(), other, checkpoint=tmp_path)
    with pytest.raises(InputError, match="data was"):
        run(build(), squared, Fold(rows(41), None), TRAINER, checkpoint=tmp_path)
    with pytest.raises(InputError, match="network was"):
        run(Net(3, 1, Layers(9)), squared, fold(), TRAINER, checkpoint=tmp_path)
    with pytest.raises(InputError, match='task was null, is "b"'):
        run(build(), squared, fold(), TRAINER, checkpoint=tmp_path, identity={"task": "b"})


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "foreign"])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    interrupted(build(), tmp_path, 8)
    file = tmp_path / NAME
    content = file.read_bytes()
    from safetensors.torch import save

    foreign = save({"a": torch.zeros(1)})
    file.write_bytes(
        {"cut": content[:-5], "garbage": b"x" * 99, "empty": b"", "foreign": foreign}[damage]
    )
    with pytest.raises(InputError, match="is damaged or no checkpoint: remove it"):
        run(build(), squared, fold(), TRAINER, checkpoint=tmp_path)


def test_shared_and_integer_weights_survive(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(3, 3)
            self.two = nn.Linear(3, 3)
            self.two.weight = self.one.weight
            self.norm = nn.BatchNorm1d(3)

        def forward(self, batch):
            return self.norm(self.two(self.one(batch.x).tanh()))[:, :1]

    def tied():
        torch.manual_seed(0)
        return Tied()

    with torch.random.fork_rng():
        whole, killed, again = tied(), tied(), tied()
    run(whole, squared, fold(), TRAINER)
    interrupted(killed, tmp_path, 13)
    run(again, squared, fold(), TRAINER, checkpoint=tmp_path)
    assert torch.equal(weights(whole), weights(again))
    assert torch.equal(whole.norm.running_var, again.norm.running_var)
    assert again.one.weight is again.two.weight


def test_a_full_disk_is_said_and_the_last_state_stays(tmp_path, monkeypatch):
    interrupted(build(), tmp_path, 8)
    before = (tmp_path / NAME).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gatewise._atomic.os.fsync", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        run(build(), squared, fold(), TRAINER, checkpoint=Checkpoint(tmp_path, every=0.0))
    assert [p.name for p in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == before


def test_a_run_that_is_killed_at_any_moment_ends_with_the_same_bits(tmp_path):
    """One process with one thread forks the runs that are killed, to import torch once."""
    code = "import sys; from tests.train.test_checkpoint import killing; killing(sys.argv[1])"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert ended.returncode == 0


def killing(folder: str) -> None:
    """Kill runs by SIGKILL: at moments of any kind, and between a write and its renaming."""
    torch.set_num_threads(1)
    place, kills = Path(folder), 0
    for delay in (0.005, 0.02, 0.035, 0.06):
        seen = _stamp(place)
        child = _forked(place)
        while _stamp(place) == seen:
            time.sleep(0.001)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert kills == 4
    for writes in (1, 6):
        assert os.WIFSIGNALED(os.waitpid(_forked(place, killed_at=writes), 0)[1])
        assert any(p.suffix == ".part" for p in place.iterdir())
    assert os.waitpid(_forked(place), 0)[1] == 0
    whole, again = build(), build()
    run(whole, squared, fold(), TRAINER)
    run(again, squared, fold(), TRAINER, checkpoint=place)
    assert torch.equal(weights(whole), weights(again))
    assert [p.name for p in place.iterdir()] == [NAME]


def _forked(folder: Path, killed_at: int = 0) -> int:
    child = os.fork()
    if child:
        return child
    left, replace = [killed_at], os.replace

    def replacing(*paths):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*paths)

    os.replace = replacing
    run(build(), squared, fold(0.004), TRAINER, checkpoint=Checkpoint(folder, every=0.0))
    os._exit(0)


def _stamp(folder: Path) -> int:
    file = folder / NAME
    return file.stat().st_mtime_ns if file.exists() else 0
