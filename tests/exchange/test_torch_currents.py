"""The field's own networks of currents answer as their authors' equations do in torch."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from few import few
from safetensors.numpy import load_file

import attractory as at
from attractory.runs import from_torch

torch = pytest.importorskip("torch")

OTHERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "others"
published = pytest.mark.skipif(not OTHERS.is_dir(), reason="the published networks are not here")
PHI = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda x: x, "sigmoid": torch.sigmoid}


class Valente(torch.nn.Module):
    """Names wi, wrec (m, n), wo, si, so, b, h0, as a network of the first family is written."""

    def __init__(self, units=8, rank=None, over_units=False, alpha=0.2, phi="tanh", read="rates"):
        super().__init__()
        torch.manual_seed(3)
        self.alpha, self.over, self.phi = alpha, units if over_units else 1, PHI[phi]
        self.out_phi = self.phi if read == "rates" else PHI["linear"]

        def drawn(*shape, scale=1.0):
            return torch.nn.Parameter(scale * torch.randn(*shape))

        self.wi, self.si, self.h0 = drawn(3, units), drawn(3), drawn(units)
        if rank is None:
            self.wrec = drawn(units, units, scale=self.over / sqrt(units))
        else:
            self.m, self.n = drawn(units, rank), drawn(units, rank)
        self.wo, self.so, self.b = drawn(units, 2), drawn(2), drawn(units, scale=0.0)

    def forward(self, inputs):
        x, outputs = self.h0.tile(len(inputs), 1), []
        recurrent = self.m @ self.n.t() if hasattr(self, "m") else self.wrec
        for u in inputs.unbind(1):
            sent = self.phi(x + self.b) @ recurrent.t() / self.over
            x = x + self.alpha * (-x + sent + (u * self.si) @ self.wi)
            outputs.append(self.out_phi(x) @ (self.wo * self.so) / self.over)
        return torch.stack(outputs, 1)


def inputs(channels, steps=40):
    return np.random.default_rng(1).normal(size=(3, steps, channels)).astype(np.float32)


def answers(module, given):
    with torch.no_grad():
        return module(torch.from_numpy(given)).numpy()


SAID = {"tau": 100.0, "dt": 20.0, "read": "rates", "activation": "tanh", "over_units": False}
NETWORKS = {
    "full": ({}, {}),
    "full, over N": ({"over_units": True}, {}),
    "low rank": ({"rank": 2}, {}),
    "low rank, over N": ({"rank": 2, "over_units": True}, {}),
    "currents read out": ({"read": "currents", "rank": 1}, {}),
    "relu": ({"phi": "relu", "alpha": 0.1}, {"tau": 10.0, "dt": 1.0, "activation": "relu"}),
}


FEW = ("full", "low rank, over N", "currents read out")


@pytest.mark.parametrize("name", few(list(NETWORKS), FEW))
def test_the_first_family_of_names(name):
    settings, said = NETWORKS[name]
    module = Valente(**settings)
    said = SAID | {n: v for n, v in settings.items() if n in SAID} | said
    given = inputs(3)
    for source in (
        module,
        module.state_dict(),
        {"net." + n: a for n, a in module.state_dict().items()},
    ):
        network = from_torch(source, **said)
        np.testing.assert_allclose(
            network.simulate(given).outputs, answers(module, given), atol=1e-5
        )


def test_what_the_arrays_do_not_say_must_be_given():
    state = Valente(rank=2).state_dict()
    with pytest.raises(at.InvalidSetting) as caught:
        from_torch(state)
    for word in ("'wi'", "activation=", "tau=", "dt=", "read=", "over_units="):
        assert word in str(caught.value)
    assert len(str(caught.value)) <= 300
    with pytest.raises(at.InvalidSetting, match="do not say over_units; give"):
        from_torch(state, **{n: v for n, v in SAID.items() if n != "over_units"})
    with pytest.raises(at.InvalidSetting, match="read = 'x' is not allowed: 'rates', 'currents'"):
        from_torch(state, **SAID | {"read": "x"})
    with pytest.raises(at.InvalidSetting, match="dt = 20.0 is not allowed: at most tau = 10.0"):
        from_torch(state, **SAID | {"tau": 10.0})


def test_a_live_module_shows_what_is_said_wrong():
    module = Valente()
    for wrong in ({"tau": 200.0}, {"read": "currents"}):
        with pytest.raises(at.InvalidSetting, match="differ by"):
            from_torch(module, **SAID | wrong)


def test_a_bias_is_inside_of_phi_or_outside():
    module = Valente()
    with torch.no_grad():
        module.b.normal_()
    with pytest.raises(
        at.InvalidSetting, match="do not say bias; give from_torch bias='inside' or"
    ):
        from_torch(module, **SAID)
    network = from_torch(module, **SAID, bias="inside")
    given = inputs(3)
    np.testing.assert_allclose(network.simulate(given).outputs, answers(module, given), atol=1e-5)
    with pytest.raises(at.InvalidSetting, match="differ by"):
        from_torch(module, **SAID, bias="outside")


@pytest.mark.slow
def test_fixed_points_of_a_bias_inside_are_fixed():
    state = Valente().state_dict() | {"b": torch.randn(8)}
    network = from_torch(state, **SAID, bias="inside")
    points = at.analysis.fixed_points(network, n_starts=16, max_starts=16)
    assert len(points.states) >= 1
    still = np.zeros((len(points.states), 3, 3))
    stay = network.simulate(still, initial_state=points.states, precision="float64")
    np.testing.assert_allclose(stay.states[:, -1], points.states, atol=1e-7)


def by_hand(arrays, given, alpha, phi, out_phi, over, bias_inside=True):
    """The second family's step, as its authors' cells have it, in torch in float64."""
    a = {n.removeprefix("rnn."): torch.from_numpy(np.asarray(v, float)) for n, v in arrays.items()}
    recurrent = a["m"] @ a["n"] if "m" in a else a["w_rec"]
    x, outputs = a["x0"].tile(len(given), 1), []
    for u in torch.from_numpy(given.astype(float)).unbind(1):
        sent = PHI[phi](x + a.get("b_rec", torch.zeros(1))) @ recurrent.t() / over
        x = (1 - alpha) * x + alpha * (sent + a["w_inp_scale"] * (u @ a["w_inp"]))
        outputs.append(a["w_out_scale"] * (PHI[out_phi](x) @ a["w_out"]) / over)
    return torch.stack(outputs, 1).numpy()


PUBLISHED = {
    "phase_N100.safetensors": (None, {"read": "currents"}),
    "phase_N512_lowrank.safetensors": (512, {"read": "currents", "over_units": True}),
    "phase_N512_lowrank.pkl": (512, {"read": "currents", "over_units": True}),
    "smc_rdm.safetensors": (60, {"read": "rates", "over_units": True, "bias": "inside"}),
}


@published
@pytest.mark.parametrize("name", few(list(PUBLISHED), list(PUBLISHED)[2:]))
def test_published_networks(name):
    over, said = PUBLISHED[name]
    arrays = load_file((OTHERS / name).with_suffix(".safetensors"))
    given = inputs(arrays["rnn.w_inp"].shape[0], steps=60)
    network = from_torch(OTHERS / name, activation="tanh", tau=20.0, dt=2.0, **said)
    out_phi = "linear" if said["read"] == "currents" else "tanh"
    expected = by_hand(arrays, given, 0.1, "tanh", out_phi, over or 1)
    np.testing.assert_allclose(network.simulate(given).outputs, expected, atol=1e-5)
    if over:
        product = arrays["rnn.m"].astype(float) @ arrays["rnn.n"] / over
        np.testing.assert_allclose(network.recurrent_weights, product, atol=1e-6)
    with pytest.raises(at.FileProblem, match="do not say activation, tau, dt, read"):
        from_torch(OTHERS / name)


def second(**changes):
    rng = np.random.default_rng(0)
    arrays = {
        "rnn.w_inp": rng.normal(size=(3, 6)),
        "rnn.w_rec": rng.normal(size=(6, 6)),
        "rnn.w_out": rng.normal(size=(6, 1)),
        "x0": np.zeros((1, 6)),
    }
    return arrays | {"rnn." + name: array for name, array in changes.items()}


REFUSED = [
    ({"w_rec": np.ones((6, 5))}, r"'rnn.w_rec' has shape \(6, 5\); it must be \(unit, unit\)"),
    ({"w_rec": np.ones((6, 6))}, "'rnn.w_rec' has hardly a negative weight: Dale's signs"),
    ({"w_out": np.ones((5, 1))}, r"'rnn.w_out' has shape \(5, 1\); it must be \(6, output\)"),
    ({"w_inp": np.ones((6, 3))}, r"'rnn.w_inp' has shape \(6, 3\); it must be \(input, 6\)"),
    ({"w_inp_scale": np.ones(2)}, r"'rnn.w_inp_scale' has shape \(2,\)"),
    ({"taus_gaus": np.ones(6)}, "'rnn.taus_gaus' gives each unit a time constant of its own"),
    ({"mask": np.ones((6, 6))}, r"'rnn.mask' cannot be read.*ignore=\['rnn.mask'\]"),
    ({"w_rec": np.full((6, 6), -1e300)}, r"recurrent_weights has a value of size 1e\+300"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=[said[:30] for _, said in REFUSED])
def test_arrays_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(at.InvalidSetting, match=said) as caught:
        from_torch(second(**changes), activation="tanh", tau=10.0, dt=1.0, read="rates")
    assert "\n" not in str(caught.value)


def test_a_time_constant_among_the_arrays_is_taken():
    network = from_torch(second(taus_gaus=np.array([50.0])), "relu", dt=5.0, read="rates")
    assert (network.model.tau, network.model.leak) == (50.0, 0.1)


def test_a_low_rank_network_of_very_many_units_takes_no_memory():
    vectors = np.ones((70000, 1), np.float32)
    arrays = {"m": vectors, "n": vectors, "wi": vectors.T, "wo": vectors}
    with pytest.raises(at.InvalidSetting, match="'m' is of 70000 units; at most 4096"):
        from_torch(arrays, **SAID)
    large = {
        n: 1e200 * a[:9].astype(float) if a.shape[1] == 1 else a[:, :9] for n, a in arrays.items()
    }
    with pytest.raises(at.InvalidSetting, match="recurrent_weights has values that are not finite"):
        from_torch(large, **SAID)
