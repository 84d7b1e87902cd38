"""Every public result is saved and loaded, is a table, and is shown in a few lines."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray
from contracts.examples_of_figures import smallest_network, tried_trials
from html_pieces import read

import attractory as at
from attractory import analysis
from attractory._errors import FileProblem
from attractory._result import Result, decoded, encoded
from attractory.tasks import Machine

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)


def memory(model=at.models.RateRNN, **settings):
    """One bit: two stable points and a saddle, read out as they are; another unit follows."""
    return model.from_weights([[1.6, 0.0], [0.3, 0.2]], [[1.5], [0.0]], [[1.05, 0.0]], **settings)


def made(net):
    """A result of each kind about a network of few units, by name."""
    points = analysis.fixed_points(net, n_starts=64, task=TASK)
    known = analysis.attractors(points)
    trials = TASK.sample(8, seed=0)
    space = analysis.state_space(net, trials, n=1)
    conditions = {"ends": trials.targets[:, -1, 0], "half": np.arange(8) % 2}
    conditions["quarter"] = np.arange(8) % 4
    told_apart = replace(trials, conditions=conditions)
    found = {
        "fixed_points": points,
        "attractors": known,
        "connections": analysis.connections(known),
        "continuation": analysis.continuation(points, [0.5]),
        "linearisation": analysis.linearisation(net, points.states[0]),
        "slow_points": points.slow,
        "slow_sets": analysis.slow_sets(net, task=TASK, n_starts=8),
        "lyapunov_exponents": analysis.lyapunov_exponents(net, steps=20, starts=2),
        "selection_vectors": analysis.selection_vectors(net, points.states),
        "automaton": analysis.automaton(net, TASK, n_samples=5, points=known, hold_steps=300),
        "spectrum": analysis.spectrum(net),
        "state_space": space,
        "condition_averages": analysis.condition_averages(net, told_apart, "ends"),
        "task_axes": analysis.task_axes(net, told_apart, "ends"),
        "selectivity": analysis.selectivity(net, told_apart, "ends"),
        "dissimilarities": analysis.dissimilarities(net, told_apart, "quarter"),
        "task_variance": analysis.task_variance(net, told_apart, "half"),
        "coding_axes": analysis.coding_axes(net, told_apart, "half", bins=2),
        "demixed_pca": analysis.demixed_pca(net, told_apart, "half"),
    }
    found["selection_angles"] = analysis.selection_angles(
        found["selection_vectors"], found["task_axes"]
    )
    if net.model.square_recurrent_weights(net.weights) is not None:
        found |= {"connectivity": analysis.connectivity(net), "audit": analysis.audit(net)}
    if len(points.stable) > 1:
        found["disturbance"] = analysis.smallest_disturbances(known, points.stable)[0]
    if points.step.rate_form is not None:
        found["weight_continuation"] = analysis.weight_continuation(points, points)
    if points.regions[int(points.stable[0])] is not None:
        found["ellipsoid"] = points.regions[int(points.stable[0])]
    return found


def compared():
    """A result of each kind about several networks, by name."""
    nets = [at.models.RateRNN(units=2).build(1, 1, seed=seed) for seed in range(4)]
    distances = at.population.compare(nets, "cka", TASK, trials=4, progress=False)
    groups = {"first": nets[:2], "last": nets[2:]}
    measures = at.population.measure(groups, ["spectral_radius"], progress=False)
    course = [(0, memory()), (10, memory())]
    return {
        "distances": distances,
        "clusters": distances.clusters(),
        "map": distances.map(),
        "measures": measures,
        "group_differences": measures.compare(),
        "battery": at.population.battery(groups, TASK, ["noise"], trials=4, progress=False),
        "smallest": smallest_network(),
        "tried_settings": tried_trials(2),
        "learning": at.population.through_learning(course, progress=False),
        "points_through_learning": at.population.points_through_learning(
            course, n_starts=32, progress=False
        ),
    }


@pytest.fixture(scope="module")
def results():
    cells = {
        "rates": memory(),
        "currents": memory(at.models.CurrentRNN),
        "gates": at.models.GRU(units=2).build(1, 1, seed=3),
    }
    return {
        f"{cell}: {name}": result
        for cell, net in cells.items()
        for name, result in made(net).items()
    } | compared()


def assert_equal(one, other, place):
    """Field by field, arrays by value and type."""
    assert type(one) is type(other), place
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other, err_msg=place)
        assert one.dtype == other.dtype, place
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif is_dataclass(one):
        for field in fields(one):
            if field.init:
                here, there = getattr(one, field.name), getattr(other, field.name)
                assert_equal(here, there, f"{place}.{field.name}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), place
        for i, (here, there) in enumerate(zip(one, other, strict=True)):
            assert_equal(here, there, f"{place}[{i}]")
    elif isinstance(one, dict):
        assert list(one) == list(other), place
        for key in one:
            assert_equal(one[key], other[key], f"{place}[{key!r}]")
    else:
        assert one == other or (one != one and other != other), place


def test_every_public_result_is_saved_and_loaded(results, tmp_path):
    for name, result in results.items():
        path = result.save(tmp_path / "result.safetensors")
        assert_equal(type(result).load(path), result, name)
        assert_equal(Result.load(path), result, name)


def test_all_public_results_are_tried(results):
    """What is public and a user gets; kinks and borders have tests of their own."""
    public = {getattr(room, name) for room in (analysis, at.population) for name in room.__all__}
    kinds = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Result)}
    parts = {analysis.Border, analysis.Hypercube, analysis.Oscillation, analysis.Side}
    parts |= {analysis.Branch, analysis.Completeness, analysis.Fate, analysis.NetworkAudit}
    assert kinds - parts == {type(result) for result in results.values()}


def test_what_is_computed_on_demand_is_computed_from_a_loaded_one(results, tmp_path):
    points = results["rates: fixed_points"]
    back = analysis.FixedPoints.load(points.save(tmp_path / "points.safetensors"))
    assert back.statement == points.statement
    region = back.regions[int(back.stable[0])]
    assert region.size == points.regions[int(points.stable[0])].size
    again = back.step(back.states)
    np.testing.assert_array_equal(again, points.step(points.states))


def test_results_are_tables_and_short(results):
    for name, result in results.items():
        assert isinstance(result.table(), pd.DataFrame), name
        assert isinstance(result.summary(), dict), name
        shown = repr(result)
        assert shown.startswith(type(result).__name__), name
        assert len(shown) < 1500, (name, len(shown))
        assert len(shown.splitlines()) <= 10, name
        assert read(result._repr_html_()).startswith(type(result).__name__), name


def test_a_users_step_is_handed_over_again(tmp_path):
    def step(h, x):
        return jnp.tanh(1.6 * h)

    points = analysis.fixed_points(step, units=1, n_starts=32)
    path = points.save(tmp_path / "points.safetensors")
    with pytest.raises(at.InvalidSetting, match=r"function 'step', which is not stored"):
        analysis.FixedPoints.load(path)
    back = analysis.FixedPoints.load(path, function=step)
    np.testing.assert_array_equal(back.step(back.states), points.step(points.states))


def test_files_that_are_no_result_are_one_line(results, tmp_path):
    path = results["rates: spectrum"].save(tmp_path / "spectrum.safetensors")
    content = path.read_bytes()
    with pytest.raises(FileProblem, match="this is a Spectrum, no Audit"):
        analysis.Audit.load(path)
    with pytest.raises(FileProblem, match="missing"):
        Result.load(tmp_path / "nothing")
    rng = np.random.default_rng(0)
    for _ in range(200):
        changed = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            changed[place] = rng.integers(0, 256)
        if bytes(changed) == content:
            continue
        path.write_bytes(bytes(changed[: rng.integers(1, len(changed) + 1)]))
        with pytest.raises(FileProblem) as caught:
            Result.load(path)
        assert "\n" not in str(caught.value)


def test_a_file_of_a_later_version_says_so(monkeypatch):
    from attractory import _result

    monkeypatch.setattr(_result, "SCHEMA", 2)
    later = encoded(analysis.SlowPoints(np.zeros((0, 1)), np.zeros(0), np.zeros((0, 1))))
    monkeypatch.setattr(_result, "SCHEMA", 1)
    with pytest.raises(FileProblem, match=r"another version \(schema 2; here 1\)"):
        decoded(later, "a file", {})


def test_unusual_numbers_and_parts_come_back():
    machine = TASK.machine()
    odd = {
        "inf": np.inf,
        "words": ("a", 'b"\n', ""),
        "pairs": {(0, 1): [1.5, -np.inf], "x": None},
        "complex": 1 - 2j,
        "empty": np.zeros((0, 3)),
        "flags": np.array([True, False]),
        "names": np.array(["a", "bc"]),
        "table": pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, np.nan]}, index=[3, 5]),
        "machine": machine,
        "model": at.models.RateRNN(units=3, recurrent_init=np.eye(3)),
        "task": TASK,
        "constraints": at.models.Constraints(excitatory=0.5),
    }
    content = encoded(odd)
    back, about = decoded(content, "a file", {})
    assert about == {}
    assert isinstance(back["machine"], Machine)
    assert_equal({**back, "table": 0}, {**odd, "table": 0}, "odd")
    pd.testing.assert_frame_equal(back["table"], odd["table"])
    assert json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]


@pytest.mark.parametrize("name", ["battery", "distances", "learning", "measures"])
def test_numbers_of_networks_are_xarray_too_and_stay_so_in_a_file(results, name, tmp_path):
    made = results[name].to_xarray()
    assert {"net"} <= set(made.dims)
    assert all(isinstance(label, str) for label in made["net"].values.tolist())
    (tmp_path / "numbers.nc").write_bytes(made.to_netcdf(engine="scipy"))
    with xarray.open_dataset(tmp_path / "numbers.nc", engine="scipy") as back:
        xarray.testing.assert_equal(back, made)
        for variable in made.data_vars:
            assert back[variable].attrs == made[variable].attrs
