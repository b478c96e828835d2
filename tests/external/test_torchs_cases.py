"""torch's cases for LSTM and GRU from the installed wheel, for what `tests/nn` leaves out.

Values, derivatives and errors are compared there at every `make test`; here are the other checks
that torch makes of all its modules with the same cases.
"""

import copy
import io

import pytest
import torch
from torch.testing._internal.common_modules import module_db
from torch.testing._internal.common_utils import noncontiguous_like

from gatewise import nn

pytestmark = [
    pytest.mark.external,
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported"),
]

OURS = {torch.nn.LSTM: nn.LSTM, torch.nn.GRU: nn.GRU}
INFOS = [info for info in module_db if info.module_cls in OURS]
DTYPES = [torch.float32, torch.float64]


@pytest.fixture(params=INFOS, ids=lambda info: info.name)
def info(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["train", "eval"])
def training(request):
    return request.param


@pytest.fixture(params=DTYPES, ids=str)
def cases(request, info, training):
    """Each case as a layer and what to call it with."""
    return [(layer, given.forward_input) for layer, given in made(info, training, request.param)]


def made(info, training, dtype, device="cpu", requires_grad=False):
    inputs = info.module_inputs_func(
        info, device=device, dtype=dtype, requires_grad=requires_grad, training=training
    )
    for given in inputs:
        arguments = given.constructor_input
        layer = OURS[info.module_cls](
            *arguments.args, **arguments.kwargs, device=device, dtype=dtype
        )
        yield layer.train(training), given


def flat(nested):
    if isinstance(nested, torch.Tensor):
        return [nested]
    return [tensor for part in nested for tensor in flat(part)]


def called(layer, call):
    torch.manual_seed(0)  # Dropout between layers
    return flat(layer(*call.args, **call.kwargs))


def test_input_that_is_not_contiguous(cases):
    for layer, call in cases:
        args = tuple(
            tuple(noncontiguous_like(part) for part in arg)
            if isinstance(arg, tuple)
            else noncontiguous_like(arg)
            for arg in call.args
        )
        torch.manual_seed(0)
        got = flat(layer(*args, **call.kwargs))
        torch.testing.assert_close(got, called(layer, call))


def test_saving_loading_and_copying(cases):
    for layer, call in cases:
        held = io.BytesIO()
        torch.save(layer, held)
        held.seek(0)
        loaded = torch.load(held, weights_only=False)
        for other in (loaded, copy.deepcopy(layer), copy.copy(layer)):
            assert repr(other) == repr(layer)
            torch.testing.assert_close(called(other, call), called(layer, call), rtol=0, atol=0)


def test_weights_are_where_and_what_they_are_told_to_be(info, training):
    for layer, _ in made(info, training, torch.float64, device="meta"):
        weights = list(layer.parameters())
        assert weights
        assert all(w.device.type == "meta" and w.dtype == torch.float64 for w in weights)
        emptied = layer.to_empty(device="cpu")
        assert all(w.device.type == "cpu" for w in emptied.parameters())


def test_other_types_and_back(cases):
    for layer, call in cases:
        own = next(layer.parameters()).dtype
        want = called(layer, call)
        layer.to(torch.float64).to(own)
        torch.testing.assert_close(called(layer, call), want, rtol=0, atol=0)
        layer.share_memory()
        torch.testing.assert_close(called(layer, call), want, rtol=0, atol=0)


def test_evaluation_differs_from_training_by_dropout_alone(info):
    for layer, given in made(info, True, torch.float64):
        call = given.forward_input
        assert layer.dropout == 0
        torch.testing.assert_close(called(layer, call), called(layer.eval(), call))


def test_gradients_add_up(info, training):
    for layer, given in made(info, training, torch.float64, requires_grad=True):
        call = given.forward_input
        tensors = [t for t in flat(call.args) if t.requires_grad]
        for _ in range(2):
            sum(t.sum() for t in called(layer, call)).backward()
        for t in (*tensors, *layer.parameters()):
            twice = t.grad
            t.grad = None
            (once,) = torch.autograd.grad(sum(o.sum() for o in called(layer, call)), [t])
            torch.testing.assert_close(twice, 2 * once)
