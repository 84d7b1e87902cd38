"""A live module is run beside the network that is read from it: what its layers do not show."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory.runs import from_torch

torch = pytest.importorskip("torch")

INPUTS, UNITS, OUTPUTS = 3, 6, 2


class Plain(torch.nn.Module):
    """Layers and a readout; forward is what a test makes of them."""

    def __init__(self, forward, kind="RNN", outputs=OUTPUTS, batch_first=True):
        super().__init__()
        torch.manual_seed(4)
        self.core = getattr(torch.nn, kind)(INPUTS, UNITS, batch_first=batch_first)
        self.out = torch.nn.Linear(UNITS, outputs)
        self.how = forward

    def forward(self, x):
        return self.how(self, x)


def last(m, x):
    return m.out(m.core(x)[0][:, -1])


def with_start(m, x):
    return m.out(m.core(x, torch.full((1, len(x), UNITS), 0.5).to(x))[0])


SAME = {
    "outputs": (lambda m, x: m.out(m.core(x)[0]), {}),
    "a tuple": (lambda m, x: (m.out(m.core(x)[0]), m.core(x)[1]), {}),
    "states first": (lambda m, x: (m.core(x)[0], m.out(m.core(x)[0])), {}),
    "a dict": (lambda m, x: {"out": m.out(m.core(x)[0])}, {}),
    "the last step": (last, {}),
    "the last step of one output": (lambda m, x: last(m, x)[:, 0], {"outputs": 1}),
    "one output, squeezed": (lambda m, x: m.out(m.core(x)[0])[..., 0], {"outputs": 1}),
    "time first": (lambda m, x: m.out(m.core(x)[0]), {"batch_first": False}),
    "turned inside": (
        lambda m, x: m.out(m.core(x.transpose(0, 1))[0]).transpose(0, 1),
        {"batch_first": False},
    ),
    "time first, the last step": (lambda m, x: m.out(m.core(x)[0][-1]), {"batch_first": False}),
    "a loop": (
        lambda m, x: torch.stack([last(m, x[:, : t + 1]) for t in range(x.shape[1])], 1),
        {},
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_a_module_that_does_what_its_layers_say_is_taken(name):
    forward, settings = SAME[name]
    assert from_torch(Plain(forward, **settings)).n_outputs == settings.get("outputs", OUTPUTS)


OTHER = {
    "sigmoid": (lambda m, x: torch.sigmoid(m.out(m.core(x)[0])), r"differ by 1\.\d from those"),
    "relu on states": (lambda m, x: m.out(torch.relu(m.core(x)[0])), "differ by"),
    "initial state": (with_start, "differ by"),
    "residual": (lambda m, x: m.out(m.core(x)[0]) + x[..., :OUTPUTS], "differ by"),
    "shifted": (lambda m, x: m.out(m.core(x)[0]).roll(1, 1), "differ by"),
    "mean over time": (lambda m, x: m.out(m.core(x)[0].mean(1)), "differ by"),
    "bounded": (lambda m, x: m.out(m.core(x)[0]).clamp(-0.2, 0.2), "differ by"),
    "inputs scaled": (lambda m, x: m.out(m.core(2 * x)[0]), "differ by"),
    "noise": (
        lambda m, x: m.out(m.core(x)[0]) + 0.01 * torch.randn(OUTPUTS),
        r"two runs of the module on the same inputs differ by 0\.0.*draws random numbers",
    ),
    "no fitting output": (
        lambda m, x: m.out(m.core(x)[0]).sum(),
        "cannot be compared .no output of it has the shape .trial, time, 2.*give check=inputs",
    ),
    "other inputs": (
        lambda m, x: m.out(m.core(torch.nn.functional.one_hot(x, INPUTS))[0]),
        "the module cannot be compared .*check=False",
    ),
}


@pytest.mark.parametrize("name", OTHER)
def test_what_a_forward_does_beside_its_layers_is_refused(name):
    forward, said = OTHER[name]
    module = Plain(forward)
    with pytest.raises(at.InvalidSetting, match=said) as caught:
        from_torch(module)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300
    assert from_torch(module, check=False).units == UNITS  # knowingly


def test_inputs_may_be_given():
    rng = np.random.default_rng(0)
    positive = rng.random((4, 9, INPUTS)).astype(np.float32)
    module = Plain(lambda m, x: m.out(m.core(x.abs())[0]))
    assert from_torch(module, check=positive).units == UNITS
    assert from_torch(module, check=torch.from_numpy(positive)).units == UNITS
    with pytest.raises(at.InvalidSetting, match="differ by"):
        from_torch(module, check=-positive)
    with pytest.raises(at.InvalidSetting, match="check is of type str; allowed: True, False"):
        from_torch(module, check="yes")
    with pytest.raises(at.InvalidSetting, match="check needs a module"):
        from_torch(module.state_dict(), check=positive)


def test_what_else_forward_takes_may_be_given():
    class Scaled(Plain):
        def forward(self, x, by):
            return self.out(self.core(by * x)[0])

    module, inputs = Scaled(None), np.ones((2, 5, INPUTS), np.float32)
    assert from_torch(module, check=(inputs, 1.0)).units == UNITS
    with pytest.raises(at.InvalidSetting, match="differ by"):
        from_torch(module, check=(inputs, 2.0))


def test_the_module_stays_as_it_was():
    class Counting(Plain):
        def forward(self, x):
            self.calls = getattr(self, "calls", 0) + 1
            self.kept = self.core(x)[1]
            return self.out(self.core(x)[0])

    module = Counting(None).train()
    before = torch.random.get_rng_state()
    from_torch(module)
    assert not hasattr(module, "calls")
    assert module.training
    assert module.core.training
    assert torch.equal(torch.random.get_rng_state(), before)


def test_chaos_makes_no_difference_of_rounding():
    """Float32 parts from float64 by far more than the allowance, and that is seen."""
    module = Plain(lambda m, x: m.out(m.core(x)[0]))
    with torch.no_grad():
        module.core.weight_hh_l0.copy_(6 * torch.randn(UNITS, UNITS))
    assert from_torch(module).units == UNITS


def test_halves_and_doubles_are_compared_too():
    assert from_torch(Plain(SAME["outputs"][0]).double()).weights["output_weights"].dtype == float
    half = Plain(SAME["outputs"][0]).to(torch.bfloat16)
    assert from_torch(half).units == UNITS
    with pytest.raises(at.InvalidSetting, match="differ by"):
        from_torch(Plain(with_start).double())
