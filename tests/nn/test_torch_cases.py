"""torch's own cases for its LSTM and GRU, run on the drop-ins."""

import pytest
import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

from gatewise import engine, nn

DROP_INS = {torch.nn.LSTM: nn.LSTM, torch.nn.GRU: nn.GRU}
INFOS = [info for info in module_db if info.module_cls in DROP_INS]
BOTH = pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
PROJECTION = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")


def samples(info, dtype, requires_grad=False):
    return info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=requires_grad, training=True
    )


def built(info, given, dtype):
    arguments = given.constructor_input
    torch.manual_seed(0)
    torchs = info.module_cls(*arguments.args, **arguments.kwargs, dtype=dtype)
    torch.manual_seed(0)
    ours = DROP_INS[info.module_cls](*arguments.args, **arguments.kwargs, dtype=dtype)
    return torchs, ours


def tensors(nested):
    """All tensors in nested tuples, in order."""
    return (
        [nested]
        if isinstance(nested, torch.Tensor)
        else [t for part in nested for t in tensors(part)]
    )


def test_torch_has_cases():
    assert {info.module_cls for info in INFOS} == set(DROP_INS)
    assert all(len(samples(info, torch.float32)) >= 16 for info in INFOS)


@PROJECTION
@BOTH
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_forward_equals_torch_and_its_unbatched_reference(info, dtype):
    for given in samples(info, dtype):
        torchs, ours = built(info, given, dtype)
        assert repr(ours) == repr(torchs)
        call = given.forward_input
        got, want = ours(*call.args, **call.kwargs), torchs(*call.args, **call.kwargs)
        torch.testing.assert_close(tensors(got), tensors(want))
        with engine("native"):
            same = ours(*call.args, **call.kwargs)
        for a, b in zip(tensors(same), tensors(want), strict=True):
            assert torch.equal(a, b)
        batched = given.reference_fn(ours, *call.args, **call.kwargs)
        torch.testing.assert_close(tensors(got), tensors(batched))


@PROJECTION
@BOTH
def test_layers_on_the_reference_engine_equal_torch(info):
    from gatewise import engine

    for given in samples(info, torch.float64, requires_grad=True):
        torchs, ours = built(info, given, torch.float64)
        call = given.forward_input
        with engine("reference"):
            got = tensors(ours(*call.args, **call.kwargs))
        want = tensors(torchs(*call.args, **call.kwargs))
        torch.testing.assert_close(got, want)
        inputs = tensors(call.args)
        grads = [
            torch.autograd.grad(sum(t.square().sum() for t in out), [*inputs, *layer.parameters()])
            for out, layer in ((got, ours), (want, torchs))
        ]
        torch.testing.assert_close(*grads)


@PROJECTION
@BOTH
def test_gradients_once_and_twice(info):
    # Every second case: with and without bias, both layouts, both directions, with a state.
    for given in samples(info, torch.float64, requires_grad=True)[1::4]:
        _, ours = built(info, given, torch.float64)
        call = given.forward_input
        names = [name for name, _ in ours.named_parameters()]
        inputs = tensors(call.args)

        def run(*values, ours=ours, names=names, inputs=inputs):
            x, *state = values[: len(inputs)]
            hx = tuple(state) if len(state) > 1 else (state or [None])[0]
            weights = dict(zip(names, values[len(inputs) :], strict=True))
            return tuple(tensors(torch.func.functional_call(ours, weights, (x, hx))))

        values = (*inputs, *(p.detach().requires_grad_() for p in ours.parameters()))
        assert torch.autograd.gradcheck(run, values, fast_mode=True)
        assert torch.autograd.gradgradcheck(run, values, fast_mode=True)


@BOTH
@pytest.mark.filterwarnings("ignore:dropout option")
def test_errors_are_torchs(info):
    for sample in info.module_error_inputs_func(
        info, device="cpu", dtype=torch.float32, requires_grad=False, training=True
    ):
        given = sample.module_error_input
        arguments = given.constructor_input
        drop_in = DROP_INS[info.module_cls]
        if sample.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
            with pytest.raises(sample.error_type, match=sample.error_regex):
                drop_in(*arguments.args, **arguments.kwargs)
            continue
        layer = drop_in(*arguments.args, **arguments.kwargs)
        with pytest.raises(sample.error_type, match=sample.error_regex):
            layer(*given.forward_input.args, **given.forward_input.kwargs)
