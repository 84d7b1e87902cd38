"""`attractory robustness` and `attractory learning`: what they print, leave behind, and refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import attractory as at
from attractory.population import _battery, _through_learning
from attractory.runs import Check, _results

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=5)
NETS = [MODEL.build(1, 1, seed=seed) for seed in range(4)]


@pytest.fixture
def attractory(in_process):
    """A command, as in a new process: with nothing in memory of what others computed."""

    def run(*arguments):
        _results._memory.clear()
        return in_process(*arguments)

    return run


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A folder with two runs, that commands are given in."""
    for name, nets in (("one", NETS[:2]), ("two", NETS[2:])):
        at.Run(TASK, MODEL, nets, rule=at.rules.BPTT()).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def with_checks(monkeypatch):
    """Runs that kept two checks of their training."""
    monkeypatch.setattr(
        at.Run, "checks", lambda run: (Check(1, tuple(NETS[:2])), Check(4, tuple(run.networks)))
    )


def refuse(*arguments, **settings):
    raise AssertionError("computed again")


@pytest.mark.usefixtures("undrawn")
def test_robustness_prints_thresholds_and_leaves_a_page_and_tables(
    folders, attractory, monkeypatch
):
    asked = ["--axis", "pruned_weights", "--axis", "noise_on_weights=0,2", "--trials", 8]
    asked += ["--score", "accuracy", "--level", 0.5, "--repeats", 1]
    status, output, errors = attractory("robustness", "one", "two", *asked)
    assert status == 0, errors
    assert "report: runs/robustness/robustness.html" in output
    runs = {name: at.load(folders / name) for name in ("one", "two")}
    axes = {"pruned_weights": None, "noise_on_weights": [0, 2]}
    tried = at.population.battery(
        runs, None, axes, "accuracy", 0.5, repeats=1, trials=8, progress=False
    )
    rows = [line.split() for line in output.splitlines()]
    for row in tried.thresholds().to_dict("records"):
        told = [row["axis"], row["side"], row["group"], str(row["reached"]), "of", "2"]
        median = f"{row['median']:.3g}"
        assert [*told, str(row["below_from_start"]), median] in [line[:8] for line in rows]
    scores = pd.read_csv("runs/robustness/robustness.csv")
    np.testing.assert_allclose(scores["mse"], tried.table()["mse"])
    assert (folders / "runs/robustness/figures/battery.svg").exists()
    monkeypatch.setattr(_battery, "robustness", refuse)
    status, again, _ = attractory("robustness", "one", "two", *asked)
    assert (status, again) == (0, output)


@pytest.mark.usefixtures("undrawn", "registries")
def test_an_axis_of_ones_own_is_tried_in_the_runs_folder(folders, attractory):
    (folders / "own.py").write_text(
        "import attractory as at\n\n\n"
        '@at.evaluation.axis("Louder", trained=1.0)\n'
        "def louder(network, task, value, rng):\n"
        "    return network, task\n"
    )
    asked = ["--axis", "louder=1,2", "--trials", 4]
    status, output, errors = attractory("--import", "own.py", "robustness", "one", *asked)
    assert status == 0, errors
    assert "louder" in output
    assert "group" not in output
    assert (folders / "one/robustness/robustness.html").exists()


@pytest.mark.usefixtures("undrawn", "with_checks")
def test_learning_prints_both_ends_and_leaves_a_page_and_tables(folders, attractory, monkeypatch):
    asked = ["--measure", "spectral_radius", "--metric", "spectra", "--fixed-points"]
    status, output, errors = attractory("learning", "two", *asked, "--starts", 16, "--net", 1)
    assert status == 0, errors
    known = at.population.through_learning(at.load("two"), "spectral_radius", metric="spectra")
    first, last = known["spectral_radius"].mean(axis=1)
    rows = [line.split() for line in output.splitlines()]
    assert ["spectral_radius", f"{first:.4f}", f"{last:.4f}"] in rows
    assert "fixed points of network 1" in output
    assert "report: two/learning/learning.html" in output
    assert (folders / "two/learning/learning.html").read_text().count('id="turn"') == 1
    table = pd.read_csv("two/learning/learning.csv")
    np.testing.assert_allclose(table["value"], known.table()["value"])
    assert (folders / "two/learning/figures/births_and_losses.svg").exists()
    monkeypatch.setattr(_through_learning, "measure", refuse)
    again = attractory("learning", "two", *asked, "--starts", 16, "--net", 1)
    assert again[:2] == (0, output)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["robustness", "one", "one"], "RUN one, one: a run is given twice"),
        (["robustness", "one", "--axis", "nois"], "'nois' has no usual values; allowed: "),
        (["robustness", "one", "--axis", "noise=["], "--axis noise '[' is not allowed"),
        (["robustness", "one", "--axis", "lesioned_area"], "--axis NAME=VALUES"),
        (["robustness", "one", "--level", "2"], "level = 2.0 is not allowed"),
        (["robustness", "one", "--score", "mse"], "score = 'mse' is not allowed"),
        (["robustness"], "Missing argument"),
        (["learning", "one"], "attractory train --set rule.keep_checks=true"),
        (["compare", "one", "--learning", "--metric", "spectra", "--measure", "n_outside"],
         "learning = True is not allowed: Nothing through learning of the run"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(arguments, message, folders, attractory):
    status, _, errors = attractory(*arguments)
    assert status == 2
    assert message in errors
    assert errors.count("\n") == 1, errors


@pytest.mark.parametrize("command", ["robustness", "learning"])
def test_help_has_an_example(command, attractory):
    status, output, _ = attractory(command, "--help")
    assert status == 0
    assert f"Example: attractory {command} runs/" in output
