"""What was computed on a run's networks is kept, found again, and never shown for other weights."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import attractory as at
from attractory import analysis
from attractory.runs import _results, kept, of_network
from attractory.runs._own_code import own_code

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
FEW = {"n_starts": 32, "max_starts": 32, "task": TASK}


@pytest.fixture(autouse=True)
def forgotten():
    """Each test begins as a new process does."""
    _results._memory.clear()


@pytest.fixture
def run(tmp_path):
    model = at.models.RateRNN(units=3, recurrent_gain=1.5)
    rule = at.rules.BPTT(steps=2, batch=4, optimizer="sgd")
    return at.train(TASK, model, rule, nets=2, path=tmp_path / "run", progress=False)


@pytest.fixture
def calls(monkeypatch):
    """Counts the calls of an analysis that keeps what it computes."""
    made = []

    @kept
    def radius(network, scale: float = 1.0, trials=None):
        """The spectral radius, in other units."""
        made.append(scale)
        return analysis.SlowPoints(*(scale * np.ones(2) * network.units for _ in range(3)))

    radius.made = made
    return radius


def test_a_run_keeps_one_result_a_network_in_its_folder(run, calls):
    first = calls(run)
    assert [type(result) for result in first] == [analysis.SlowPoints] * 2
    assert len(calls.made) == 2
    assert len(list((run.path / "results").iterdir())) == 2
    _results._memory.clear()
    again = calls(at.load(run.path))
    assert len(calls.made) == 2
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.states, other.states)
    table = run.results.table()
    assert table["analysis"].tolist() == ["radius"] * 2
    assert sorted(table["net"]) == [0, 1]


def test_other_settings_are_other_results(run, calls):
    calls(run, scale=1.0)
    calls(run, scale=2.0)
    calls(run, trials=TASK.sample(4, seed=0))
    calls(run, trials=TASK.sample(4, seed=1))
    assert len(calls.made) == 8
    calls(run, 2.0, TASK.sample(4, seed=1))
    calls(run, trials=TASK.sample(4, seed=1))
    assert len(calls.made) == 10
    assert run.results.newest("radius", 0).states[0] in (3.0, 6.0)


def test_what_a_notebook_computed_is_found_for_the_run(run, calls):
    calls(run.networks[1], scale=3.0)
    assert of_network(run, 1, calls, scale=3.0).states[0] == 9.0
    assert calls.made == [3.0]
    of_network(run, 0, calls, scale=3.0)
    assert calls.made == [3.0, 3.0]


def test_results_of_other_weights_are_never_given(run, calls):
    calls(run)
    weights = run.networks[0].weights
    weights["output_weights"] = 2 * np.asarray(weights["output_weights"])
    assert run.results.newest("radius", 0) is None
    assert run.results.newest("radius", 1) is not None
    calls(run)
    assert len(calls.made) == 3  # network 0 again, network 1 not
    assert len(list(run.results)) == 2


def test_a_damaged_file_is_computed_again(run, calls):
    calls(run)
    _results._memory.clear()
    for path in (run.path / "results").iterdir():
        path.write_bytes(path.read_bytes()[:-7])
    calls(run)
    assert len(calls.made) == 4
    _results._memory.clear()
    calls(run)
    assert len(calls.made) == 4


def test_settings_that_cannot_be_told_apart_are_not_kept(run, calls):
    calls(run, trials=lambda: None)
    calls(run, trials=lambda: None)
    assert len(calls.made) == 4
    assert not (run.path / "results").exists()


def test_a_run_in_memory_keeps_in_memory(calls):
    model = at.models.RateRNN(units=2)
    run = at.train(TASK, model, at.rules.BPTT(steps=1, batch=2, optimizer="sgd"), progress=False)
    one, same = calls(run), calls(run)
    assert one is same
    assert calls.made == [1.0]


def test_memory_has_an_end(calls, monkeypatch):
    monkeypatch.setattr(_results, "REMEMBERED", 3)
    net = at.models.RateRNN(units=2).build(1, 1)
    for scale in range(6):
        calls(net, float(scale))
    assert len(_results._memory) == 3


@pytest.mark.slow
def test_a_process_that_has_computed_nothing_lists_all_kinds_of_results(tmp_path):
    run = at.Run.of(at.models.RateRNN(units=3).build(1, 1), TASK)
    run.save(tmp_path / "run")
    at.population.battery(run, axes={"pruned_weights": [0.0]}, trials=4)
    at.population.measure(run, "spectral_radius")
    code = f"import attractory; print(*attractory.load({str(run.path)!r}).results.table().analysis)"
    listed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert sorted(listed.stdout.split()) == ["measures", "robustness", "spectrum"]


def test_fixed_points_of_a_run_are_computed_once(run):
    first = analysis.fixed_points(run, **FEW)
    _results._memory.clear()
    again = analysis.fixed_points(at.load(run.path), **FEW)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.states, other.states)
        assert one.statement == other.statement
    assert len(list((run.path / "results").iterdir())) == 2
    assert len(analysis.spectrum(list(run.networks))) == 2


def test_a_custom_cell_comes_back_with_its_function(tmp_path):
    def step(weights, state, x):
        return 0.5 * state + weights["input_weights"] @ x

    model = at.models.Custom(step=step, units=2, shapes={"input_weights": ("units", "inputs")})
    rule = at.rules.BPTT(steps=1, batch=2, optimizer="sgd")
    run = at.train(TASK, model, rule, path=tmp_path / "run", progress=False)
    first = analysis.fixed_points(run, **FEW)
    _results._memory.clear()
    again = at.load(run.path, step=step).results.newest("fixed_points", 0)
    np.testing.assert_array_equal(again.states, first.states)


SOURCE = """
import jax.numpy as jnp
import attractory as at

class Own(at.tasks.FlipFlop):
    name = "own"
    def correct(self, outputs, trials):
        return {correct}

@at.models.activation
def own_phi(u):
    return {phi}

def own_step(weights, state, x):
    return {step}
"""
WRITTEN = {"correct": "1.0", "phi": "jnp.tanh(u)", "step": "0.5 * state"}


@pytest.mark.parametrize("changed", [None, "correct", "phi", "step"])
def test_results_of_a_users_code_are_of_that_code(changed, tmp_path, registries, monkeypatch):
    """The same names and settings, another body: other results."""
    from attractory.runs import import_named

    monkeypatch.setenv("ATTRACTORY_CACHE", str(tmp_path / "cache"))  # of what was named
    keys = []
    for version, text in enumerate([WRITTEN, {**WRITTEN, changed: "0 * " + WRITTEN[changed]}
                                    if changed else WRITTEN]):  # fmt: skip
        folder = tmp_path / str(version)
        folder.mkdir()
        (folder / "own_parts.py").write_text(SOURCE.format(**text))
        import_named(str(folder / "own_parts.py"))
        import sys

        parts = sys.modules.pop("own_parts")
        phi = at.models.RateRNN(units=2, activation="own_phi").build(1, 1)
        custom = at.models.Custom(step=parts.own_step, units=2).build(1, 1)
        task = parts.Own(bits=1)
        keys.append(
            [
                _results.settings_digest({"task": task}),
                _results.weights_checksum(phi),
                _results.weights_checksum(custom),
            ]
        )
    same = [one == other for one, other in zip(*keys, strict=True)]
    assert None not in keys[0]
    assert same == [changed != part for part in WRITTEN]


def test_source_is_read_in_many_threads_at_once():
    """Python 3.11 fails now and then where two of them parse: in one of six rounds as these."""
    with ThreadPoolExecutor(8) as pool:
        for _ in range(30):
            assert len(set(pool.map(own_code, [Threaded()] * 16))) == 1


class Threaded(at.tasks.FlipFlop):
    """A task of a user's own."""
