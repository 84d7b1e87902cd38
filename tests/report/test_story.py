"""The story on the page's first screen: true to the results, and silent on none that is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from analysis.planted import planted_bits

import attractory as at
from attractory.report import Effort, _story, study
from attractory.report._levels import Levels, chance_of, levels
from attractory.report._story import story, trained
from attractory.report._tables import WIDEST, tables
from attractory.report.sections._fixed_points import _of_saddles

EFFORT = Effort.quick().replace(
    starts=64, max_starts=64, driven_starts=16, samples=4, hold_steps=200, patterns=1, branches=1
)


class Memory(at.tasks.FlipFlop):
    """One bit, of which nothing is varied and chance is not searched for: that takes seconds."""

    def conditions(self):
        return {}

    def chance(self):
        return 0.5


TASK = Memory(bits=1, neutral_start=False, noise=0.02, steps=150, pulse=5, delay=10)


@pytest.fixture(scope="module")
def results():
    """Of two networks that each hold one bit: 3 fixed points, 2 of them stable."""
    run = at.Run.of([planted_bits(1, size=6, seed=seed) for seed in range(2)], TASK)
    return study(run, n=64, fixed_points=True, automaton=True, effort=EFFORT)


def answers(results):
    told = story(results)
    assert [each.question for each in told] == [
        "What was trained?",
        "Does it work?",
        "How does it do it?",
        "What is proved?",
        "What fails?",
    ]
    return [each.answer for each in told]


def scored(results, correct):
    scores = replace(results.scores, correct=np.array(correct))
    return replace(results, scores=scores, levels=Levels(1.0, 64, 0.5))


def test_it_says_what_is_planted(results):
    _, _, how, proved, _ = answers(results)
    assert "each of the 2 networks has 2 stable fixed points among 3 in all" in how
    assert "saddles join them to the 1-cube in 2 of the 2 networks" in how
    assert "12 of 12 transitions between its states" in how  # 2 networks, 2 states, 3 inputs
    assert "6 of 6 fixed points are proved" in proved
    assert "4 of 4 states of the machine are proved to be held for ever" in proved
    assert not any(each.command for each in story(results))


def test_of_one_network_it_is_said_in_the_singular(results):
    run = at.Run.of(list(results.run.networks)[:1], TASK)
    first = {name: getattr(results, name)[:1] for name in ("dynamics", "principal_spaces", "cubes")}
    one = replace(results, run=run, scores=results.scores.of_network(0), **first)
    _, works, how, proved, _ = answers(one)
    assert works.endswith("; the network is better than chance.")
    assert how.startswith("Left alone, the network has 2 stable fixed points among 3 in all;")
    assert "saddles join them to the 1-cube;" in how
    assert "; that none is missing is" in proved
    assert "networks" not in how + proved


def test_what_was_not_looked_for_is_said_with_the_command_that_does(results):
    plain = replace(results, dynamics=None)
    _, _, how, proved, fails = answers(plain)
    assert "Fixed points were not looked for." in how
    assert proved.startswith("Nothing: no fixed point was looked for.")
    assert "Not looked at: robustness, fixed points, transitions of the task's machine." in fails
    asked = "at.report.study(run, fixed_points=True, automaton=True)"
    assert {each.command for each in story(plain)} == {"", f"at.report.write(run, path, {asked})"}


@pytest.mark.parametrize(
    ("path", "named"), [("runs/two", "runs/two"), ("runs/a b", "'runs/a b'"), ("/home/x/r", "RUN")]
)
def test_the_command_names_the_folder_but_no_path_of_the_machine(results, path, named):
    run = at.Run.of(list(results.run.networks), TASK)
    run.path = Path(path)
    told = story(replace(results, run=run, dynamics=None))
    assert told[2].command == f"attractory report {named} --fixed-points --automaton"
    points_alone = [replace(each, automaton=None) for each in results.dynamics]
    told = story(replace(results, run=run, dynamics=points_alone))
    assert told[3].command == f"attractory report {named} --automaton"


def test_networks_at_chance_are_not_said_to_work(results):
    # 36 of 64 by chance of 1/2: more are right in 19 % of all cases; 48 of 64: in 0.004 %
    _, works, _, _, fails = answers(scored(results, [36 / 64, 34 / 64]))
    assert "chance: 50.0 %" in works
    assert "none of the 2 networks are better than chance" in works
    assert fails.startswith("All of the 2 networks are not better than chance")
    _, works, _, _, fails = answers(scored(results, [36 / 64, 48 / 64]))
    assert "65.6 % (median; 56.2 % to 75.0 %)" in works
    assert "1 of the 2 networks is better than chance" in works
    assert fails.startswith("1 of the 2 networks is not better than chance")
    _, works, _, _, fails = answers(scored(results, [1.0, 1.0]))
    assert "all of the 2 networks are better than chance" in works
    assert fails.startswith("Nothing, as far as scores, fixed points")


def test_without_a_chance_level_errors_stand_beside_a_constant_output(results, monkeypatch):
    monkeypatch.setattr(_story, "chance_of", lambda run, task: None)
    wrong = replace(results.scores, mse=np.array([0.6, 0.7]))
    _, works, _, _, fails = answers(replace(scored(results, [0.0, 0.1]), scores=wrong))
    assert "chance: not stated by the task" in works
    assert "that of the best output that never changes 0.5: none of the 2 networks" in works
    assert fails.startswith("All of the 2 networks are no better than an output")
    unanswered = replace(results, levels=Levels(None, 0, 0.5))
    assert answers(unanswered)[1].startswith("The task does not say which of its trials")


def test_what_became_of_the_training_is_said(results):
    run = at.Run.of(list(results.run.networks), TASK)
    run.status = [{"status": "finished"}, {"status": "diverged"}]
    assert answers(replace(results, run=run))[4].startswith("1 of 2 networks: diverged")
    assert trained(run) == "Networks without a training history, analysed on the task memory."


def test_conditions_under_which_the_score_is_lost_are_named(results):
    good = scored(results, [1.0, 1.0])
    values = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    correct = np.array([[0.5, 0.95, 1.0, 0.95, 0.9], [0.5, 0.7, 1.0, 0.95, 0.9]])
    curve = at.evaluation.RobustnessCurve("noise", values, 0.2, correct, correct, correct)
    fails = answers(replace(good, curves=[curve]))[4]
    assert fails.startswith(
        "Trials correct fall by 10 points or more at noise 0.1 (trained with 0.2), "
        "noise 0.4 (trained with 0.2)."
    )
    ranges = replace(curve, values=((1, 2), (3, 4)), trained=(1, 2), correct=np.array([1.0, 0.5]))
    assert "at noise (3, 4)." in answers(replace(good, curves=[ranges]))[4]


def test_what_is_not_proved_or_lost_is_counted(results):
    first, second = results.dynamics
    points = replace(
        first.points,
        certified=np.array([True, False, False]),
        decided=np.array([False, True, True]),
    )
    machine = replace(second.automaton, lost=np.array([True, False]), others=(2,))
    known = [replace(first, points=points), replace(second, automaton=machine)]
    _, _, _, proved, fails = answers(replace(scored(results, [1.0, 1.0]), dynamics=known))
    assert "4 of 6 fixed points are proved" in proved
    for text in (
        "Fixed points without a proof: 2",
        "fixed points with an undecided number of unstable dimensions: 1",
        "states that lose their meaning in silence: 1",
        "attractors of no state of the machine: 1",
    ):
        assert text in fails


def test_the_error_of_the_best_constant_output_is_that_of_brute_force():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(3, 5, 2)).astype(np.float32)
    mask = rng.integers(0, 3, size=(3, 5, 2)).astype(np.float32)
    trials = at.tasks.Trials(np.zeros((3, 5, 1), np.float32), targets, mask)
    grid = np.linspace(-2, 2, 4001)
    best = sum(
        min((mask[..., k] * (targets[..., k] - value) ** 2).sum() for value in grid)
        for k in range(2)
    )

    class Silent(at.tasks.Task):
        def trial(self, key):
            return at.tasks.Trial(jnp.zeros((5, 1)), jnp.zeros((5, 2)))

    found = levels(Silent(), trials)
    assert found.constant_mse == pytest.approx(best / mask.sum(), abs=1e-5)
    assert (found.ideal, found.answerable) == (None, 3)
    assert chance_of(at.Run.of(planted_bits(1, size=4), TASK), Silent()) is None


def test_a_wide_table_goes_on_under_itself():
    wide = pd.DataFrame({"net": [0, 1], **{f"a_long_column_{i:02}": [0.5, 1.5] for i in range(30)}})
    parts = tables(wide)
    assert len(parts) > 1
    for part in parts:
        assert part.head[0] == "network"
        assert [row[0] for row in part.rows] == ["0", "1"]
        assert sum(max(map(len, name.split())) for name in part.head) < WIDEST
    assert [n for part in parts for n in part.head[1:]] == [
        f"a long column {i:02}" for i in range(30)
    ]
    assert len(tables(wide[["net", "a_long_column_00"]])) == 1


def test_a_table_that_goes_on_repeats_what_tells_its_rows_apart():
    told = {"net": [0, 0, 1], "context": ["left", "right", "left"]}
    wide = pd.DataFrame({**told, **{f"a_long_column_{i:02}": 0.5 for i in range(20)}})
    for part in tables(wide):
        assert part.head[:2] == ["network", "context"]
        assert [row[:2] for row in part.rows] == [["0", "left"], ["0", "right"], ["1", "left"]]
    assert [part.head[:2] for part in tables(wide.assign(net=0, context="left"))][1][1] != "context"
    assert tables(pd.DataFrame({"net": []}))[0].rows == []


def test_the_caption_of_the_graph_says_what_its_saddles_are(results):
    joined = results.dynamics[0].connections
    assert _of_saddles(joined) == " with 1 unstable dimension"
    saddle = int(joined.edges[0, 0])
    n_unstable = joined.points.n_unstable.copy()
    n_unstable[saddle] = 3
    points = replace(joined.points, n_unstable=n_unstable)
    turning = replace(joined, attractors=replace(joined.attractors, points=points))
    assert _of_saddles(turning).startswith(" with 3 unstable dimensions, one of them along the way")
    assert _of_saddles(replace(joined, edges=joined.edges[:0])) == ""
