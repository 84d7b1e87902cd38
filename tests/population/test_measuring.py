"""Measures beside what the package, NumPy and SciPy say of the same networks; groups of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import linalg

import attractory as at
from attractory import analysis
from attractory.models import Network, RateRNN
from attractory.population import GroupDifferences, measure
from attractory.runs import Run, _results

FLIP = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
DELAYED = at.tasks.DelayedResponse()


def one_bit(gain=1.6):
    """Two stable points and a saddle, read out as they are; another unit follows."""
    return RateRNN.from_weights([[gain, 0.0], [0.3, -0.2]], [[1.5], [0.0]], [[1.05, 0.0]])


def drawn(seed, units=5):
    return RateRNN(units=units).build(1, 1, seed=seed)


def with_weights(matrix, **settings):
    ones = np.ones((len(matrix), 1))
    return RateRNN.from_weights(matrix, ones, ones.T, **settings)


def history(losses, validation=None):
    """Of networks with these losses at each update."""
    parts = []
    for net, loss in enumerate(losses):
        step = np.arange(1, len(loss) + 1)
        checked = np.full(len(loss), np.nan) if validation is None else validation[net]
        parts.append(
            pd.DataFrame({"net": net, "step": step, "loss": loss, "validation_loss": checked})
        )
    return pd.concat(parts, ignore_index=True)


def test_scores_are_those_of_evaluate():
    nets = [one_bit(), drawn(0)]
    found = measure(nets, ["accuracy", "mse", "correct"], FLIP, 32, seed=3)
    scores = at.evaluate(nets, FLIP, 32, seed=3)
    for name in found.names:
        np.testing.assert_array_equal(found[name], getattr(scores, name))
    assert (found.trials, found.seed) == (32, 3)


def test_measures_of_weights_are_numpys():
    matrix = np.random.default_rng(0).normal(size=(6, 6)) / 2
    found = measure(with_weights(matrix)).table().iloc[0]
    exact = matrix.astype(np.float32).astype(float)
    moduli = np.abs(np.linalg.eigvals(exact))
    assert found["spectral_radius"] == pytest.approx(moduli.max())
    assert found["n_outside"] == np.sum(moduli > 1.01)
    assert found["share_near_circle"] == np.mean(np.abs(moduli - 1) <= 0.02)
    norm = np.square(exact).sum()
    departure = np.sqrt((norm - np.square(moduli).sum()) / norm)
    assert found["henrici_departure"] == pytest.approx(departure)
    assert found["excitatory_share"] == np.mean(exact > 0)
    assert found["ei_balance"] == pytest.approx(exact[exact > 0].sum() / -exact[exact < 0].sum())


def test_the_numerical_abscissa_is_the_growth_at_first():
    matrix = np.array([[-1.0, 5.0], [0.0, -1.0]])  # both eigenvalues are -1
    found = measure(with_weights(matrix), "numerical_abscissa")["numerical_abscissa"][0]
    short = 1e-6
    growth = (np.linalg.norm(linalg.expm(short * matrix), 2) - 1) / short
    assert found == pytest.approx(growth, abs=1e-4)
    assert found > 1


def test_a_nilpotent_matrix_is_as_far_from_normal_as_can_be():
    found = measure([with_weights([[0.0, 1.0], [0.0, 0.0]]), with_weights(np.eye(2))])
    np.testing.assert_allclose(found["henrici_departure"], [1, 0], atol=1e-7)


def test_the_lyapunov_exponent_of_a_linear_network():
    net = with_weights([[0.5, 0.2], [0.2, -0.7]], activation="linear")
    radius = measure(net, "spectral_radius")["spectral_radius"]
    found = measure(net, "lyapunov_exponent")["lyapunov_exponent"]
    np.testing.assert_allclose(found, np.log(radius), atol=1e-9)


def test_dimensions_are_those_of_the_states():
    net = drawn(1)
    found = measure(net, ["participation_ratio", "two_nn_dimension"], FLIP, 80)
    trials = FLIP.sample(80, 0).first(64)
    states = net.simulate(trials.inputs, precision="float64").states
    np.testing.assert_allclose(found.values[0, 0], analysis.participation_ratio(states))
    trial = np.repeat(np.arange(64), states.shape[1])
    whole = analysis.two_nn_dimension(states.reshape(-1, 5), trial)
    assert found.values[0, 1] == pytest.approx(whole, rel=0.1)  # of 2000 of 3840 states


def test_an_epoch_has_its_own_dimension():
    net = RateRNN(units=6, dt=DELAYED.dt, tau=100.0).build(
        DELAYED.n_inputs, DELAYED.n_outputs, seed=0
    )
    trials = DELAYED.sample(16, 0)
    states = net.simulate(trials, precision="float64").states
    name = "participation_ratio"
    found = measure(net, [name, f"{name}@*"], trials)
    assert found.names == (name, *(f"{name}@{epoch}" for epoch in trials.epoch_names))
    for epoch in trials.epoch_names:
        own = states[trials.during(epoch) & trials.within]
        expected = analysis.participation_ratio(own)
        np.testing.assert_allclose(found[f"{name}@{epoch}"], expected)
    np.testing.assert_allclose(found[name], analysis.participation_ratio(states[trials.within]))


def test_fixed_points_are_counted():
    names = ["n_fixed_points", "n_attractors", "n_saddles", "n_saddles_of_index_1"]
    found = measure([one_bit(), one_bit(0.5)], names, FLIP)
    assert found.values.tolist() == [[3, 2, 1, 1], [1, 1, 0, 0]]


def test_the_machine_is_that_of_the_automaton():
    found = measure(one_bit(), ["automaton_margin", "hold_time"], FLIP)
    machine = analysis.automaton(one_bit(), FLIP, n_samples=0, hold_steps=500)
    memories = machine.machine.memories
    np.testing.assert_allclose(found["automaton_margin"], machine.margins[memories].min())
    assert not machine.lost[memories].any()
    assert found["hold_time"][0] == 10_000


def test_learning_time_is_the_first_update_at_a_tenth():
    losses = [[2.0, 1.0, 0.2, 0.3], [2.0, 1.9, 1.0, 0.3]]
    run = Run(FLIP, drawn(0).model, [drawn(0), drawn(1)], history=history(losses))
    found = measure(run, "learning_time")
    np.testing.assert_array_equal(found["learning_time"], [3, np.nan])
    assert "did not come down" in found.reasons["learning_time"][1]
    checked = [[np.nan, 0.1, np.nan, 0.1], [np.nan, 1.0, np.nan, 0.2]]
    run = Run(FLIP, drawn(0).model, [drawn(0), drawn(1)], history=history(losses, checked))
    np.testing.assert_array_equal(measure(run, "learning_time")["learning_time"], [2, 4])


def test_what_several_measures_need_is_computed_once(monkeypatch):
    calls = []

    def counted(kind, name):
        original = getattr(kind, name)

        def call(*given, **settings):
            calls.append(name)
            return original(*given, **settings)

        monkeypatch.setattr(kind, name, call)

    counted(Network, "simulate")
    counted(Network, "respond")
    counted(np.linalg, "eigvals")
    measure(drawn(0), task=FLIP, trials=16)
    assert sorted(calls) == ["eigvals", "respond", "simulate"]


def test_a_run_keeps_what_was_computed(tmp_path, monkeypatch):
    run = Run(FLIP, drawn(0).model, [drawn(0), drawn(1)])
    run.save(tmp_path / "run")
    names = ["spectral_radius", "lyapunov_exponent", "n_fixed_points"]
    analysis.fixed_points(run, task=run.task)
    first = measure(run, names)
    kept = run.results.table()
    analyses = ["spectrum", "lyapunov_exponents", "fixed_points"]
    assert sorted(kept["analysis"]) == sorted([*2 * analyses, "measures"])
    monkeypatch.setattr(np.linalg, "eigvals", None)
    again = measure(at.load(tmp_path / "run"), names[::-1])  # by the analyses
    np.testing.assert_array_equal(again.values, first.values[:, ::-1])


def test_measures_of_runs_are_found_again_and_not_those_of_another_history(tmp_path, monkeypatch):
    run = Run.of([drawn(0), drawn(1)], FLIP)
    run.save(tmp_path / "run")
    losses = {"net": [0, 0, 1, 1], "step": [1, 2, 1, 2], "loss": [1.0, 0.01, 1.0, 0.02]}
    histories = [pd.DataFrame({**losses, "validation_loss": np.nan}) for _ in range(2)]
    histories[1].loc[1, "loss"] = 0.5
    names = ["accuracy", "learning_time"]
    first, other = (
        measure({"a": replace(run, history=history)}, names, trials=8) for history in histories
    )
    np.testing.assert_array_equal(first["learning_time"], [2, 2])
    np.testing.assert_array_equal(other["learning_time"], [np.nan, 2])
    _results._memory.clear()
    monkeypatch.setattr(Network, "respond", None)
    again = measure({"a": replace(run, history=histories[0])}, names, trials=8)
    np.testing.assert_array_equal(again.values, first.values)
    assert again.table().equals(first.table())
    assert again.reasons == first.reasons


def test_runs_of_different_tasks_have_their_weights_and_histories():
    tasks = (FLIP, FLIP.replace(steps=50))
    runs = {f"{task.steps} steps": Run.of(drawn(0), task) for task in tasks}
    assert measure(runs, ["n_outside", "learning_time"]).trials == 0


def test_networks_that_diverged_are_left_out_and_said():
    nets = [drawn(seed) for seed in range(3)]
    status = [{"net": net, "status": "finished"} for net in range(3)]
    status[1]["status"] = "diverged"
    run = Run(FLIP, nets[0].model, nets, status)
    found = measure({"slow": run, "fast": nets[:1]}, "spectral_radius")
    assert found.left_out == ("slow[1]",)
    assert "Left out, since they diverged: slow[1]." in found.statement
    assert found.table()["net"].tolist() == [0, 2, 0]
    assert found.table()["group"].tolist() == ["slow", "slow", "fast"]
    for row in status:
        row["status"] = "diverged"
    with pytest.raises(at.InvalidSetting, match="all of them diverged"):
        measure(run)


@pytest.fixture(scope="module")
def two_groups():
    """Weak and strong weights: radii that differ, balances that are much the same."""
    weights = np.random.default_rng(5).normal(size=(8, 6, 6)) / np.sqrt(6)
    nets = [with_weights(matrix) for matrix in weights * np.repeat([0.5, 1.5], 4)[:, None, None]]
    return measure({"weak": nets[:4], "strong": nets[4:]}, ["spectral_radius", "ei_balance"])


def test_groups_are_compared(two_groups, tmp_path):
    found = two_groups.compare()
    table = found.table()
    assert table["measure"].tolist() == ["spectral_radius", "ei_balance"]
    row = table.iloc[0]
    weak, strong = two_groups["spectral_radius"].reshape(2, 4)
    assert (row["first"], row["second"], row["n_first"]) == ("weak", "strong", 4)
    assert row["difference"] == pytest.approx(weak.mean() - strong.mean())
    assert row["low"] < row["difference"] < row["high"] < 0
    assert row["cliffs_delta"] == -1
    assert row["p"] == pytest.approx(2 / 70)  # the two splits that are as far apart, of 70
    assert row["p_holm"] == pytest.approx(4 / 70)
    back = GroupDifferences.load(found.save(tmp_path / "differences.safetensors"))
    pd.testing.assert_frame_equal(back.table(), table)
    assert "No difference among 2 comparisons" in found.statement
    assert len(repr(found)) < 1500


def test_labels_make_other_groups(two_groups):
    labels = np.array(["a", "b", "c", "c"] * 2)
    table = two_groups.compare(by=labels).table()
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    assert list(zip(table["first"], table["second"], strict=True)) == 2 * pairs
    own = two_groups.intervals(by=labels)
    assert own["group"].tolist() == 2 * ["a", "b", "c"]
    assert own["networks"].tolist() == 2 * [2, 2, 4]
    np.testing.assert_allclose(own["mean"][0], two_groups["spectral_radius"][[0, 4]].mean())


def test_without_a_number_a_network_does_not_count(two_groups):
    values = two_groups.values.copy()
    values[:3, 1] = np.nan
    found = at.population.Measures(**{**vars(two_groups), "values": values})
    table = found.compare().table()
    assert table["n_first"].tolist() == [4, 1]
    assert table.iloc[1][["low", "p", "p_holm", "p_fdr"]].isna().all()
    assert table["p_holm"][0] == table["p"][0]
    assert found.intervals()["networks"].tolist() == [4, 4, 1, 4]
    assert np.isfinite(found.summary()["ei_balance"])


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: measure(drawn(0), "spectral"), "measure 'spectral' is unknown.*spectral_radius"),
        (lambda: measure(drawn(0), "accuracy"), "'accuracy' needs a task, or a run"),
        (lambda: measure(drawn(0), "hold_time"), "'hold_time' needs a task, or a run"),
        (lambda: measure(drawn(0), []), "names is empty"),
        (lambda: measure({}), "networks is empty"),
        (lambda: measure({3: drawn(0)}), "a name of each group is needed"),
        (lambda: measure({"a": drawn(0), "b": "c"}), "b = 'c' is not allowed: a Network"),
        (
            lambda: measure({"a": drawn(0), "b": RateRNN(units=2).build(2, 1)}, task=FLIP),
            r"b\[0\] has n_inputs = 2, the task flipflop has 1",
        ),
        (lambda: measure(drawn(0), "mse@cue", FLIP), "mse is not of states, it has no epochs"),
        (
            lambda: measure(drawn(0), "participation_ratio@cue", FLIP),
            "epoch 'cue' is unknown; there are none",
        ),
        (
            lambda: measure(
                {"a": Run.of(drawn(0), FLIP), "b": Run.of(drawn(0), FLIP.replace(steps=50))}
            ),
            "runs are of different tasks",
        ),
        (lambda: measure([drawn(0), drawn(1)], "mse", FLIP).compare(), "there is one group"),
        (
            lambda: measure({"a": drawn(0), "b": [drawn(1)]}, "n_outside").compare(),
            "group 'a' has 1 network; at least two",
        ),
        (lambda: measure(drawn(0), "n_outside").compare(by=["a", "b"]), "by has 2 labels"),
        (lambda: measure(drawn(0), "n_outside").compare(by="ab"), "a label for each network"),
        (lambda: measure(drawn(0), "n_outside")["mse"], "measure 'mse' was not taken"),
    ],
)
def test_what_is_not_allowed_is_one_line(call, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        call()
