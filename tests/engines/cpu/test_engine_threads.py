"""Threads share the work without changing the results, in one process and in forked ones."""

import os
import subprocess
import sys
import threading

import pytest
import torch

from gatewise import nn
from gatewise.cells import every_cell
from gatewise.engines.cpu import task
from gatewise.engines.cpu.frame import Live
from gatewise.engines.cpu.words import FEW_ROWS

from .calls import CPU, assert_near, drawn, run, uneven

CELLS = every_cell()
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.fixture
def threads(monkeypatch):
    """Sets the number of threads, which then share calls of any size."""
    before = torch.get_num_threads()
    monkeypatch.setattr(task, "_WORTH_THREADS", 0)
    yield torch.set_num_threads
    torch.set_num_threads(before)


SIZES = [(1, 6, 5, 9), (3, 6, 5, 9), (8, 6, 5, 9), (37, 4, 20, 33)]


@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ["lstm", "gru_reset_before"])
def test_any_number_of_threads_gives_the_same(threads, name, size, ragged):
    draw = torch.Generator().manual_seed(0)
    lengths = torch.randint(0, size[1] + 1, size[:1], generator=draw) if ragged else None
    call = drawn(CELLS[name], *size, dtype=torch.float32, lengths=lengths)
    results = []
    for number in (1, 2, 4):
        threads(number)
        results.append(run(call))
    for values, found in results[1:]:
        # With a few rows for each thread the input is multiplied by torch.mm, whose sums depend
        # on the number of threads.
        if size[0] > 4 * FEW_ROWS:
            assert all(map(torch.equal, values, results[0][0]))
        assert_near(values, results[0][0], 1e-6)
        assert_near(found, results[0][1], 1e-6)


@pytest.mark.parametrize("hidden", [130, 200, 256])
@pytest.mark.parametrize("name", ["lstm", "peephole_lstm", "elman", "gru_reset_before"])
def test_units_of_one_sequence_are_shared_both_ways(threads, name, hidden, monkeypatch):
    teams, run_team = [], Live.run_team

    def noting(live, region, count):
        teams.append(region)
        run_team(live, region, count)

    monkeypatch.setattr(Live, "run_team", noting)
    call = drawn(CELLS[name], 1, 40, 21, hidden, dtype=torch.float32, reverse=True)
    threads(1)
    values, found = run(call)
    assert not teams
    for number in (2, 3):
        threads(number)
        shared, gradients = run(call)
        assert_near(shared, values, 1e-6)
        assert_near(gradients, found, 1e-6)
    # A cell of several products meets forward only; each frame is of one number of threads.
    assert len(teams) == (2 if name == "gru_reset_before" else 4)


def test_the_same_number_of_threads_gives_the_same_gradients_to_the_last_bit(threads):
    threads(3)
    call = drawn(CELLS["peephole_lstm"], 9, 40, hidden=20, dtype=torch.float32)
    first, second = (run(call) for _ in range(2))
    assert all(map(torch.equal, first[1], second[1]))


def test_many_python_threads_run_one_layer(threads):
    threads(2)
    torch.manual_seed(0)
    layer = nn.Recurrent("lstm", 5, 20)
    inputs = [torch.randn(k % 4 + 1, 10 + k, 5, requires_grad=True) for k in range(8)]

    def both(x):
        y, _ = layer(x)
        return [y.detach(), *torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])]

    want = [both(x) for x in inputs]
    found, start = [[] for _ in inputs], threading.Barrier(len(inputs))

    def work(k):
        start.wait()
        for _ in range(20):
            found[k].append(both(inputs[k]))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(len(inputs))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for k, results in enumerate(found):
        assert len(results) == 20
        for result in results:
            assert_near(result, want[k], 1e-6)


def test_a_backward_pass_in_another_thread(threads):
    threads(1)
    call = drawn(CELLS["lstm"], 6, 5, lengths=torch.tensor([5, 2, 3, 4, 1, 5]))
    want = run(call)[1]
    y, state = CPU.run(call)
    loss = uneven([y, *state])

    def work():
        threads(4)
        loss.backward()

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    found = [call.x.grad, *(s.grad for s in call.state), *(w.grad for w in call.weights.values())]
    assert_near(found, want, 1e-12)


FORK = """
import os, torch
from gatewise import nn
torch.set_num_threads(2)
torch.manual_seed(0)
along = torch.randn(64, 20, 64)
layer, x = nn.Recurrent("gru", 16, 64), torch.randn(64, 20, 16)
def both():
    layer.zero_grad()
    y, _ = layer(x)
    y.backward(along)  # torch's own operations with threads would never end in the child
    return [y.detach(), layer.weight_hh_l0.grad]
want = both()  # with threads, which the child has not got
child = os.fork()
if not child:
    try:
        for got, exact in zip(both(), want):
            got, exact = got.flatten().tolist(), exact.flatten().tolist()
            assert max(abs(a - b) for a, b in zip(got, exact)) < 1e-4
    except BaseException:
        os._exit(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""

FEW = """
import os, torch
from gatewise import nn
torch.set_num_threads(2)
layer, x = nn.LSTM(64, 256, batch_first=True), torch.randn(1, 900, 64)
lengths = None if {full} else [850]
with torch.no_grad():
    want = layer(x, lengths=lengths)[0][0, 800].tolist()
    child = os.fork()
    if not child:
        found = layer(x, lengths=lengths)[0][0, 800].tolist()
        apart = max(abs(a - b) for a, b in zip(found, want))
        os._exit(not (apart < 1e-5 and torch.get_num_threads() == 2))
assert os.waitpid(child, 0)[1] == 0
"""

LAST = """
import os, torch
from gatewise import nn
torch.set_num_threads(2)
layer, x = nn.LSTM(8, 64, batch_first=True), torch.randn(4, 3000, 8)
layer(x[:, :20])[0].square().sum().backward()
child = os.fork()
if not child:
    x.requires_grad_()
    y, _ = layer(x)
    along = torch.zeros(y.shape)
    along[0, -1, 0] = 1.0
    y.backward(along)
    torch.set_num_threads(1)
    os._exit(not (x.grad[0, -1].any() and not x.grad[:, 0].any()))
assert os.waitpid(child, 0)[1] == 0
"""

LOADER = """
import torch
from torch.utils.data import DataLoader, Dataset
from gatewise import nn
torch.set_num_threads(2)
layer = nn.Recurrent("lstm", 3, 8)
class Encoded(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, k):
        with torch.no_grad():
            return layer(torch.full((2, 5, 3), float(k)))[0]
want = torch.stack([Encoded()[k] for k in range(8)])
for _ in range(2):
    loader = DataLoader(Encoded(), 2, num_workers=2, multiprocessing_context="fork", timeout=60)
    torch.testing.assert_close(torch.cat(list(loader)), want)
"""


@forks
@pytest.mark.parametrize(
    "script",
    [FORK, FEW.format(full=True), FEW.format(full=False), LAST, LOADER],
    ids=["fork", "one sequence", "one that ends early", "a loss on the last step", "loader"],
)
def test_forked_processes_run_a_layer(script):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], timeout=60, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
