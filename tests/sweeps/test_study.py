"""Studies: what their points are, and what is refused before anything runs."""

from __future__ import annotations

import itertools
import math
import sys
import types

import numpy as np
import pytest

import attractory as at
from attractory.sweeps import Cluster, Draws, Span, Study, Vary, When, _cluster
from attractory.training import Section

TASK = {"name": "flipflop", "bits": 1, "steps": 40, "first_onset": [5, 10], "pulse": 4, "delay": 4}


def study(vary, **more):
    common = {"task": TASK, "model": {"units": 8}, "rule": {"steps": 4, "batch": 4}}
    return Study(**{**common, **more}, vary=vary)


def test_a_grid_is_every_combination_the_last_field_fastest():
    grid = {"rule.learning_rate": np.array([0.001, 0.003]), "model.units": [4, 6], "seed": range(3)}
    points = study({"grid": grid}).points()
    by_hand = list(itertools.product([0.001, 0.003], [4, 6], [0, 1, 2]))
    made = [(p.rule.learning_rate, p.model.units, p.seed) for p in points]
    assert made == by_hand
    assert all(type(p.values["rule.learning_rate"]) is float for p in points)
    assert len({p.identity for p in points}) == 12


def test_a_grid_has_all_whole_numbers_between_two():
    made = study({"grid": {"seed": {"low": 3, "high": 6}}}).points()
    assert [point.seed for point in made] == [3, 4, 5, 6]
    with pytest.raises(at.InvalidSetting, match="whole numbers as ends"):
        study({"grid": {"rule.learning_rate": {"low": 0.1, "high": 0.2}}})
    with pytest.raises(at.InvalidSetting, match="more than 1,000,000"):
        study({"grid": {"seed": {"low": 0, "high": 10**9}}})


def test_ways_are_crossed_and_lists_are_points():
    vary = {
        "list": [{"model.units": 4, "rule.batch": 2}, {"model.units": 6}],
        "grid": {"seed": [7]},
    }
    made = [(p.model.units, p.rule.batch, p.seed) for p in study(vary).points()]
    assert made == [(4, 2, 7), (6, 4, 7)]


def test_a_field_varies_only_where_another_has_a_value():
    vary = Vary(
        grid={"rule": ["bptt", "force"]},
        when=[When(has={"rule": "bptt"}, grid={"rule.learning_rate": [0.1, 0.2]})],
    )
    points = [each.values for each in Study(task="flipflop", vary=vary).points()]
    assert points == [
        {"rule": "bptt", "rule.learning_rate": 0.1},
        {"rule": "bptt", "rule.learning_rate": 0.2},
        {"rule": "force"},
    ]


def test_random_points_are_between_their_ends_and_follow_from_their_seed():
    fields = {
        "rate": Span(1e-4, 1e-1, log=True),
        "units": {"low": 3, "high": 5},
        "cell": ["gru", "lstm"],
    }
    draws = Draws(points=3000, seed=5, fields=fields)
    points = list(draws.each())
    rates = np.array([point["rate"] for point in points])
    assert rates.min() >= 1e-4
    assert rates.max() <= 1e-1
    # the logarithm is uniform: its mean lies at the middle, within four standard errors
    middle, error = (math.log(1e-4) + math.log(1e-1)) / 2, math.log(1e3) / math.sqrt(12 * 3000)
    assert abs(np.log(rates).mean() - middle) < 4 * error
    counted = [sum(point["units"] == units for point in points) for units in (3, 4, 5)]
    assert sum(counted) == 3000  # whole numbers, the ends as often as the others
    assert max(abs(count - 1000) for count in counted) < 4 * math.sqrt(3000 * (1 / 3) * (2 / 3))
    assert points == list(draws.each())
    assert points != list(draws.replace(seed=6).each())


def test_parts_that_are_made_already_vary_too():
    model = at.models.RateRNN(units=8, constraints=at.models.Constraints(density=0.5))
    grid = {"model.constraints.density": [0.2, 0.4], "task.bits": [1, 2]}
    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
    points = study({"grid": grid}, task=task, model=model).points()
    made = [(p.model.weight_constraints.density, p.task.bits) for p in points]
    assert made == [(0.2, 1), (0.2, 2), (0.4, 1), (0.4, 2)]
    whole = study({"grid": {"model": [model, "gru"]}}).points()
    assert [type(p.model).__name__ for p in whole] == ["RateRNN", "GRU"]


def test_points_that_are_the_same_are_there_once():
    assert len(study({"list": [{"seed": 1}, {"seed": 1}, {"seed": 2}]}).points()) == 2


def test_networks_are_trained_in_parts_of_the_size_that_is_asked_for():
    asked = study({"grid": {"seed": [3]}}, nets=5, split=2)
    (point,) = asked.points()
    assert list(asked.parts_of(point)) == [range(2), range(2, 4), range(4, 5)]


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ({"grid": {"rule.lerning_rate": [1.0]}}, "point 0 .*did you mean 'learning_rate'"),
        ({"grid": {"modl.units": [4]}}, "unknown field 'modl.units'.*did you mean 'model"),
        ({"grid": {"seed": []}}, "seed = .*a list of one value or more"),
        ({"gird": {"seed": [1]}}, "did you mean 'grid'"),
        ({}, "nothing varies"),
        ({"grid": {"model.units": [4, 6, -1]}}, "point 2 .model.units = -1.*greater than or equal"),
        ({"grid": {"task.delay": [4, 1000]}}, "point 1 .task.delay = 1000"),
        ({"grid": {"seed": [1]}, "list": [{"seed": 2}]}, "seed varies in two ways"),
        ({"grid": {"seed": [-1]}}, "point 0 .seed = -1"),
        ({"random": {"points": 2, "fields": {"seed": {"low": 3, "high": 2}}}}, "must be below"),
        ({"grid": {"seed": range(2000), "model.units": range(1, 2000)}}, "more than 1,000,000"),
    ],
)
def test_what_contradicts_is_refused_before_anything_runs(vary, said):
    with pytest.raises(at.InvalidSetting, match=said) as refused:
        study(vary).points()
    assert "\n" not in str(refused.value)


def test_own_parts_are_imported_and_named_by_their_whole_paths(tmp_path, registries):
    (tmp_path / "mine.py").write_text(
        "import attractory as at\n"
        "@at.tasks.register\n"
        "class Mine(at.tasks.FlipFlop):\n"
        "    name = 'mine'\n"
    )
    file = tmp_path / "study.yaml"
    file.write_text("task: {name: mine}\nimports: mine.py\nvary: {grid: {seed: [0]}}\n")
    made = Study.read(file)
    assert made.imports == (str(tmp_path / "mine.py"),)
    assert made.points()[0].task.name == "mine"


def test_a_script_that_would_sweep_in_its_workers_is_refused(monkeypatch, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import attractory as at\nat.sweep('study.yaml', 'sweep')\n")
    main = types.ModuleType("__main__")
    main.__file__ = str(script)
    monkeypatch.setitem(sys.modules, "__main__", main)
    with pytest.raises(at.InvalidSetting, match="script.py: workers on this machine import it"):
        _cluster._check_main()
    script.write_text("import attractory as at\nif __name__ == '__main__':\n    at.sweep()\n")
    _cluster._check_main()


def test_without_dask_it_is_said_how_it_is_installed(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(at.InvalidSetting, match=r"pip install 'attractory\[sweeps\]'"):
        at.sweep(study({"grid": {"seed": [0]}}), tmp_path / "sweep")
    assert not list(tmp_path.iterdir())


def test_the_number_of_workers_leaves_the_settings_of_a_queue():
    queue = {"kind": "slurm", "memory": "3GB", "queue": "night"}
    pytest.importorskip("dask_jobqueue")
    asked = study({"grid": {"seed": [0]}}, cluster=queue)
    assert "#SBATCH -p night" in at.sweeps.plan(asked, workers=7)


def test_as_many_workers_as_cores_jobs_and_memory_allow(monkeypatch):
    monkeypatch.setattr(_cluster, "available_cores", lambda: 8)
    monkeypatch.setattr(_cluster, "memory", lambda: 8 * 2**30)
    assert _cluster.local_workers(None, 0.0, 100) == 8
    assert _cluster.local_workers(None, 0.0, 3) == 3
    assert _cluster.local_workers(None, 1.0 * 2**30, 100) == 4  # of 1.75 GiB each, in 7.2 GiB
    assert _cluster.local_workers(None, 99.0 * 2**30, 100) == 1
    assert _cluster.local_workers(5, 99.0 * 2**30, 100) == 5


def test_a_study_is_read_from_a_file(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(
        "task: {name: flipflop, bits: 1, steps: 40, first_onset: [5, 10], pulse: 4, delay: 4}\n"
        "model: {units: 8}\nrule: {steps: 4, batch: 4}\nnets: 2\n"
        "vary:\n  grid: {rule.learning_rate: [1e-3, 3e-3]}\n"
    )
    grid = {"grid": {"rule.learning_rate": [0.001, 0.003]}}
    assert Study.read(file) == study(grid, nets=2)
    file.write_text("task: flipflop\nobjective: correct\nvary: {grid: {seed: [1]}}\n")
    with pytest.raises(at.InvalidSetting, match="attractory tune"):
        Study.read(file)


def test_what_is_changed_keeps_settings_that_are_for_others():
    queue = Cluster(kind="slurm", queue="night", memory="3GB").replace(workers=5)
    assert (queue.workers, queue.options) == (5, {"queue": "night", "memory": "3GB"})
    section = Section(name="flipflop", bits=2).replace(name="poisson_flipflop")
    assert (section.name, section.settings) == ("poisson_flipflop", {"bits": 2})
