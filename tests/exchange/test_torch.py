"""Networks from and to PyTorch answer with torch's own numbers."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

import attractory as at
from attractory.models import GRU, LSTM, Constraints, LowRankRNN, RateRNN, Stacked
from attractory.runs import from_torch, save_torch, to_torch

torch = pytest.importorskip("torch")

INPUTS, UNITS, OUTPUTS = 3, 6, 2


class Theirs(torch.nn.Module):
    """A network as one writes it in torch."""

    def __init__(self, kind="RNN", biased=True, **settings):
        super().__init__()
        self.core = getattr(torch.nn, kind)(
            INPUTS, UNITS, bias=biased, batch_first=True, **settings
        )
        self.dropout = torch.nn.Dropout(0.5)
        self.out = torch.nn.Linear(UNITS, OUTPUTS, bias=biased)

    def forward(self, x):
        return self.out(self.dropout(self.core(x)[0]))


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(0).normal(size=(4, 25, INPUTS)).astype(np.float32)


def theirs(**settings):
    torch.manual_seed(1)
    return Theirs(**settings).eval()


def answers(module, inputs):
    with torch.no_grad():
        return module(torch.from_numpy(inputs)).numpy()


MODULES = [
    {"kind": "RNN"},
    {"kind": "RNN", "nonlinearity": "relu", "biased": False},
    {"kind": "GRU"},
    {"kind": "GRU", "biased": False},
    {"kind": "LSTM"},
    {"kind": "LSTM", "num_layers": 2},
    {"kind": "RNN", "num_layers": 3},
]


@pytest.mark.parametrize("settings", MODULES, ids=str)
def test_a_module_gives_the_same_outputs_here(settings, inputs):
    module = theirs(**settings)
    network = from_torch(module)
    np.testing.assert_allclose(network.simulate(inputs).outputs, answers(module, inputs), atol=1e-5)
    again = from_torch(module.state_dict(), activation=settings.get("nonlinearity"))
    for name, array in network.weights.items():
        np.testing.assert_array_equal(again.weights[name], array)


class TwoLayers(torch.nn.Module):
    """Layers whose names sort the other way round, a loss and a readout that is their like."""

    def __init__(self):
        super().__init__()
        self.loss = torch.nn.MSELoss()
        self.lower = torch.nn.RNN(INPUTS, INPUTS, nonlinearity="relu", batch_first=True)
        self.core = torch.nn.RNN(INPUTS, INPUTS, batch_first=True)
        self.out = torch.nn.Linear(INPUTS, INPUTS)

    def forward(self, x):
        return self.out(self.core(self.lower(x)[0])[0])


def test_layers_keep_the_order_and_the_activations_of_the_module(inputs):
    torch.manual_seed(2)
    module = TwoLayers()
    made = from_torch(module).simulate(inputs).outputs
    np.testing.assert_allclose(made, answers(module, inputs), atol=1e-5)
    with pytest.raises(at.InvalidSetting, match=r"'lower\.'.*: arrays do not tell; allowed"):
        from_torch(module.state_dict())


NETWORKS = {
    "tanh": RateRNN(units=UNITS),
    "relu": RateRNN(units=UNITS, activation="relu", bias=True, output_bias=False),
    "leaky": RateRNN(units=UNITS, tau=10.0),
    "leaky with bias": RateRNN(units=UNITS, tau=100.0, dt=20.0, bias=True),
    "leaky, of many digits": RateRNN(units=UNITS, tau=30.0, dt=7.0),
    "a function": RateRNN(units=UNITS, activation=jnp.tanh),
    "low rank": LowRankRNN(units=UNITS, rank=2),
    "GRU": GRU(units=UNITS),
    "LSTM": LSTM(units=UNITS, bias=False),
    "layers": Stacked(layers=(GRU(units=5), RateRNN(units=7), LSTM(units=UNITS))),
    "tanh over relu": Stacked(
        layers=(RateRNN(units=5, activation="relu"), RateRNN(units=5), RateRNN(units=4, tau=3.0))
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_the_same_outputs_there_and_comes_back(name, inputs, tmp_path):
    network = with_biases(NETWORKS[name].build(INPUTS, OUTPUTS, seed=3))
    expected = network.simulate(inputs).outputs
    module = to_torch(network)
    np.testing.assert_allclose(answers(module, inputs), expected, atol=1e-5)
    file = save_torch(network, tmp_path / "net.safetensors")
    for source in (module, file):
        back = from_torch(source)
        np.testing.assert_allclose(back.simulate(inputs).outputs, expected, atol=1e-5)
        if name != "low rank":
            assert type(back.model) is type(network.model)
            assert back.model.leak == pytest.approx(network.model.leak, rel=1e-6)
            assert getattr(back.model, "activation", "") in ("tanh", model_activation(network))


def model_activation(network):
    return getattr(network.model, "activation", "")


@pytest.mark.parametrize("tau", [1.0001, 1.5, 10 / 3, 123.4567, 1e4])
def test_tau_comes_back(tau):
    back = from_torch(to_torch(RateRNN(units=3, tau=tau).build(1, 1)))
    assert back.model.tau == pytest.approx(tau, rel=1e-6)
    assert back.model.tau == tau or tau == 10 / 3


def with_biases(network):
    """The network with biases that are not all 0."""
    rng = np.random.default_rng(5)
    weights = {
        n: rng.normal(size=w.shape).astype(np.float32) if "bias" in n else np.asarray(w)
        for n, w in network.weights.items()
    }
    return at.models.Network(network.model, weights)


def test_signs_and_zeros_are_kept():
    rules = Constraints(excitatory=0.8, density=0.2)
    network = RateRNN(units=20, activation="relu", constraints=rules).build(INPUTS, OUTPUTS)
    exported = to_torch(network).layers[0].weight_hh_l0.detach().numpy()
    assert (exported[:, :16] >= 0).all()
    assert (exported[:, 16:] <= 0).all()
    assert (exported[np.asarray(network.weights["recurrent_mask"]) == 0] == 0).all()
    np.testing.assert_array_equal(exported, network.recurrent_weights)


def test_the_file_is_the_state_dict_that_torch_loads(inputs, tmp_path):
    from safetensors.torch import load_file

    network = NETWORKS["layers"].build(INPUTS, OUTPUTS, seed=2)
    module = to_torch(NETWORKS["layers"].build(INPUTS, OUTPUTS, seed=1))
    module.load_state_dict(load_file(save_torch(network, tmp_path / "net.safetensors")))
    np.testing.assert_allclose(answers(module, inputs), network.simulate(inputs).outputs, atol=1e-5)


def test_a_trained_module_in_float64_keeps_its_numbers():
    module = theirs(kind="GRU").double()
    weights = from_torch(module).weights["recurrent_weights"]
    assert weights.dtype == np.float64
    np.testing.assert_array_equal(weights, module.core.weight_hh_l0.detach().numpy())


def changed(**changes):
    """The state dict of a module, with some arrays changed (None: taken out)."""
    arrays = {n: a.numpy() for n, a in theirs().state_dict().items()}
    for name, array in changes.items():
        arrays[name.replace("__", ".")] = array
    return {name: array for name, array in arrays.items() if array is not None}


class Normed(Theirs):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(UNITS)


class Embedded(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.core = torch.nn.Linear(INPUTS, 4), torch.nn.GRU(4, 4)


class Tied(Theirs):
    def __init__(self):
        super().__init__()
        self.again = self.core


class Scaled(Theirs):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))


class Cells(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.core, self.out = torch.nn.GRUCell(INPUTS, UNITS), torch.nn.Linear(UNITS, OUTPUTS)


REFUSED = [
    (lambda: theirs(bidirectional=True), r"core \(RNN\) has two directions"),
    (lambda: theirs(kind="LSTM", proj_size=2), r"core \(LSTM\) has projections"),
    (Normed, r"norm \(LayerNorm\) cannot be read; allowed: nn.RNN"),
    (Scaled, r"the module \(Scaled\) has parameters of its own"),
    (Embedded, r"into \(Linear\) stands before the recurrent layers"),
    (Tied, "'again.' is a layer that stands there twice"),
    (Cells, r"core \(GRUCell\) cannot be read"),
    (lambda: torch.nn.Linear(3, 2), "there is no recurrent layer"),
    (lambda: torch.nn.RNN(3, 2), "one linear readout is needed, found: none"),
    (lambda: 3, "source is of type int; allowed: an nn.Module"),
    (lambda: Theirs, "source is of type type; allowed: an nn.Module"),
    (lambda: changed(other__weight=np.ones((2, 6))), "found: other.weight, out.weight"),
    (lambda: changed(out__weight=np.ones((2, 5))), r"'out.weight' has shape \(2, 5\).*outputs, 6"),
    (lambda: changed(out__bias=np.ones(3)), r"'out.bias' has shape \(3,\); it must be \(2,\)"),
    (lambda: changed(core__weight_hh_l0=np.ones((12, 6))), r"\(12, 6\); it must be \(gates"),
    (lambda: changed(core__weight_ih_l0=np.ones((5, 3))), r"weight_ih_l0' has shape \(5, 3\)"),
    (lambda: changed(core__bias_hh_l0=None), "'core.bias_hh_l0' must have shape"),
    (lambda: changed(core__weight_ih_l0=None), "weight_ih is missing"),
    (lambda: changed(core__weight_hr_l0=np.ones((2, 6))), "'core.weight_hr_l0' belongs to a layer"),
    (lambda: changed(scale=np.ones(1)), "'scale' cannot be read"),
    (lambda: changed(out__bias=np.array([np.nan, 0])), "'out.bias' has values that are not finite"),
    (lambda: changed(out__bias="no"), "'out.bias' is no array of numbers"),
]


@pytest.mark.parametrize(("make", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_read_is_named_in_one_line(make, said):
    with pytest.raises(at.InvalidSetting, match=said) as caught:
        from_torch(make())
    assert "\n" not in str(caught.value)


def test_a_file_says_its_activation(inputs, tmp_path):
    module = theirs(nonlinearity="relu")
    arrays = {name: array.numpy() for name, array in module.state_dict().items()}
    path = tmp_path / "net.safetensors"
    save_file(arrays, path, {"activation": "relu"})
    np.testing.assert_allclose(
        from_torch(path).simulate(inputs).outputs, answers(module, inputs), atol=1e-5
    )
    save_file(arrays, path, {"core.activation": "gelu"})
    with pytest.raises(at.FileProblem, match="'gelu' is not one of nn.RNN"):
        from_torch(path)


def test_files_that_are_none(tmp_path):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}")
    for path, said in [
        (tmp_path / "net.pt", "there is no such file"),
        (tmp_path / ("n" * 300 + ".pt"), "there is no such file"),
        (tmp_path / "net.npy", "this ending is not allowed: .safetensors, or those of torch.save"),
        (tmp_path / "none.safetensors", "there is no such file"),
        (damaged, "there is no recurrent layer|damaged"),
    ]:
        with pytest.raises(at.FileProblem, match=said):
            from_torch(path)
    with pytest.raises(at.FileProblem, match="this ending is not allowed: .safetensors"):
        save_torch(NETWORKS["tanh"].build(1, 1), tmp_path / "net.pt")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (RateRNN(units=3, activation="softplus"), "'softplus' has no counterpart in PyTorch"),
        (RateRNN(units=3, tau=2.0, activation="relu"), "tau = 2.0 with dt = 1.0: .* leaks"),
        (GRU(units=3, tau=2.0), "tau = 2.0 with dt = 1.0: .* leaks"),
        (RateRNN(units=3, recurrent_noise=0.1), "recurrent_noise is not 0"),
        (GRU(units=3, output_noise=0.1), "output_noise is not 0"),
        (at.models.Custom(step=lambda w, s, x: s, units=3), "a Custom has no counterpart"),
    ],
)
def test_what_torch_does_not_have_is_refused(model, said):
    with pytest.raises(at.InvalidSetting, match=said):
        to_torch(model.build(1, 1))


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(at.AttractoryError, match=r"pip install 'attractory\[torch\]'"):
        to_torch(NETWORKS["tanh"].build(1, 1))
