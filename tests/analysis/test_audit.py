"""The audit counts what was broken by hand."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory.analysis import audit
from attractory.models import GRU, Constraints, LowRankRNN, Network, RateRNN, Stacked

UNITS = 20


def built(activation="tanh", **rules):
    model = RateRNN(units=UNITS, constraints=Constraints(**rules), activation=activation)
    return model.build(2, 2)


def changed(net, name, *places, value):
    weights = {n: np.array(w) for n, w in net.weights.items()}
    for place in places:
        weights[name][place] = value
    return Network(net.model, weights)


ALL = {
    "excitatory": 0.75,
    "density": 0.5,
    "self_connections": False,
    "low": -9.0,
    "high": 9.0,
    "areas": (12, 8),
    "connections": ((1.0, 0.5), (0.0, 1.0)),
    "input_areas": (0,),
    "output_areas": (0,),
    "excitatory_readout": True,
}


def test_fresh_weights_break_nothing():
    found = audit(built(**ALL))
    assert found.violations == 0
    assert found.entries[0].mixed_columns == 0
    assert "kept Dale's law, the mask, the bounds" in found.statement
    assert "broken" not in found.statement


def test_each_kind_of_violation_is_counted():
    net = built(**ALL)
    mask = np.asarray(net.weights["recurrent_mask"]) > 0
    there = np.argwhere(mask & (np.arange(UNITS) < 9))[:3]  # from excitatory units
    away = [tuple(p) for p in np.argwhere(~mask & (np.arange(UNITS) < 15))[:4]]
    places = [tuple(p) for p in there]
    assert audit(changed(net, "recurrent_weights", *places, value=-0.1)).entries[0].broken == {
        "dale": 3, "mask": 0, "bounds": 0, "inputs": 0, "outputs": 0,
    }  # fmt: skip
    for name, where, value, kind, count in [
        ("recurrent_weights", away, 0.1, "mask", 4),
        ("recurrent_weights", [(3, 3)], 0.1, "mask", 1),  # the diagonal
        ("recurrent_weights", places[:2], 10.0, "bounds", 2),
        ("input_weights", [(12, 0), (19, 1)], 1.0, "inputs", 2),
        ("output_weights", [(0, 13)], 1.0, "outputs", 1),  # not an output area
        ("output_weights", [(0, 0)], -1.0, "outputs", 1),  # negative
    ]:
        found = audit(changed(net, name, *where, value=value))
        assert found.entries[0].broken[kind] == count, kind
        assert found.violations == count
        assert f"({count} weights)" in found.statement
        assert found.table()[f"broken_{kind}"][0] == count
        assert found.table()["violations"][0] == count


def test_without_constraints_the_weights_are_measured():
    matrix = np.array([[1.0, -1.0, 0.0], [2.0, 0.0, -4.0], [0.0, 3.0, -1.0]])
    found = audit(RateRNN.from_weights(matrix, np.ones((3, 1)), np.ones((1, 3))))
    (entry,) = found.entries
    assert found.violations == 0
    assert entry.broken == {}
    assert entry.mixed_columns == 1
    assert entry.self_connections == 2
    assert entry.density == 6 / 9
    np.testing.assert_array_equal(entry.excitation, [1, 2, 3])
    np.testing.assert_array_equal(entry.inhibition, [1, 4, 1])
    np.testing.assert_allclose(entry.balance, [1, 0.5, 3])
    assert entry.radius == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max())
    assert found.statement == (
        "The model of one network has no constraints. Density 0.667 of all N² weights, "
        f"spectral radius {entry.radius:.3g}. By the weights that they send, 1 units excite, "
        "1 inhibit, 1 do both: Dale's law does not hold."
    )


def test_it_says_of_which_weights_the_density_is():
    net = RateRNN(units=UNITS, constraints=Constraints(density=0.5, self_connections=False)).build(
        2, 2
    )
    (entry,) = audit(net).entries
    there = np.count_nonzero(net.recurrent_weights)
    assert entry.density == there / UNITS**2
    assert entry.density_allowed == there / (UNITS**2 - UNITS)
    assert (
        f"{entry.density:.3g} of all N² weights, {entry.density_allowed:.3g} of those that may be"
    ) in audit(net).statement


def test_signs_are_measured_whatever_the_model_says():
    """As of a network from elsewhere, whose model has no constraints."""
    matrix = np.abs(np.random.default_rng(0).normal(size=(10, 10)))
    matrix[:, 6:9] *= -1
    matrix[:, 9] = 0
    matrix[4] = 0
    found = audit(RateRNN.from_weights(matrix, np.ones((10, 1)), np.ones((1, 10))))
    (entry,) = found.entries
    np.testing.assert_array_equal(entry.signs, [1] * 6 + [-1] * 3 + [0])
    assert (entry.excitatory, entry.inhibitory, entry.mixed_columns) == (6, 3, 0)
    assert entry.silent_rows == 1
    assert "6 units excite, 3 inhibit, 0 do both: Dale's law holds" in found.statement
    matrix[0, 0] = -1
    entry = audit(RateRNN.from_weights(matrix, np.ones((10, 1)), np.ones((1, 10)))).entries[0]
    assert np.isnan(entry.signs[0])
    assert entry.mixed_columns == 1


def test_densities_of_blocks_are_by_area():
    net = built(areas=(12, 8), connections=((1.0, 0.0), (0.5, 1.0)))
    blocks = audit(net).entries[0].block_density
    w = net.recurrent_weights
    assert blocks[0, 1] == 0
    assert blocks[0, 0] == blocks[1, 1] == 1
    assert blocks[1, 0] == np.mean(w[12:, :12] != 0)


def test_fixed_weights_that_moved_are_seen_by_drawing_the_first_ones_again():
    fixed = np.zeros((8, 8))
    fixed[:, :3] = 1
    model = RateRNN(units=8, constraints=Constraints(fixed=fixed))
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 20), pulse=5, delay=5)
    run = at.train(
        task, model, at.rules.BPTT(steps=2, batch=4, optimizer="sgd"), nets=2, progress=False
    )
    assert audit(run).violations == 0
    assert "fixed" in audit(run).entries[1].broken
    assert "fixed" not in audit(run.networks[1]).entries[0].broken  # the first ones are not known
    run.networks[1] = changed(run.networks[1], "recurrent_weights", (0, 0), (5, 2), value=7.0)
    assert [entry.broken["fixed"] for entry in audit(run).entries] == [0, 2]


def test_layers_are_audited_each_and_gated_cells_not():
    rules = Constraints(excitatory=0.5)
    stack = Stacked(
        layers=(RateRNN(units=6, constraints=rules), GRU(units=4), LowRankRNN(units=5))
    ).build(2, 1)
    found = audit(stack)
    assert [entry.layer for entry in found.entries] == [1, 3]
    assert found.entries[0].broken == {"dale": 0}
    broken = changed(stack, "layer_1.recurrent_weights", (0, 5), value=1.0)
    assert audit(broken).violations == 1
    with pytest.raises(at.InvalidSetting, match="GRU has no square matrix"):
        audit(GRU(units=4).build(1, 1))
    with pytest.raises(
        at.InvalidSetting, match="networks = .net. is not allowed: a Network, a sequence"
    ):
        audit("net")
