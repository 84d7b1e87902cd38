"""A run in a process that does not know its task, its rule or its model."""

from __future__ import annotations

import hashlib
import html
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from pydantic import Field

import attractory as at
from attractory.rules import UnknownRule
from attractory.tasks import UnknownTask

SAID = "task 'mine' is not known here"


class Mine(at.tasks.Task):
    """The sign of a noisy input, seen through a kernel."""

    steps: int = 10
    kernel: object = None

    def trial(self, key):
        heard = jax.random.normal(key, (self.steps, 1))
        return at.tasks.Trial(inputs=heard, targets=jnp.sign(heard))


class Slowly(at.rules.BPTT):
    patience_ms: float = Field(default=3.0)


class MyCell(at.models.RateRNN):
    pass


def trained(folder, task=at.tasks.And, model=at.models.RateRNN, rule=at.rules.BPTT):
    return at.train(task, model(units=4), rule(steps=1, batch=2), path=folder, progress=False)


@pytest.fixture
def run(tmp_path, registries):
    """A run of an own task, which is forgotten afterwards."""
    at.tasks.register(Mine)
    made = trained(tmp_path / "run", Mine(kernel=np.arange(3.0)))
    registries()
    return made


def test_a_run_without_its_task_has_all_else(run):
    found = at.load(run.path)
    assert isinstance(found.task, UnknownTask)
    assert found.config == run.config
    assert (found.task.name, found.task.steps, found.task.n_inputs) == ("mine", 10, 1)
    assert found.task == at.load(run.path).task
    assert "UnknownTask('mine')" in repr(found)
    pd.testing.assert_frame_equal(found.history, run.history)
    inputs = np.ones((1, 5, 1))
    np.testing.assert_array_equal(
        found.networks[0].respond(inputs), run.networks[0].respond(inputs)
    )


def test_analyses_that_need_no_task_are_the_same_without_it(run):
    found = at.load(run.path)
    np.testing.assert_array_equal(
        at.analysis.spectrum(found).eigenvalues, at.analysis.spectrum(run).eigenvalues
    )
    assert at.analysis.connectivity(found).mean == at.analysis.connectivity(run).mean
    assert at.analysis.audit(found).statement == at.analysis.audit(run).statement
    points = at.analysis.fixed_points(found.networks[0], n_starts=4)
    np.testing.assert_array_equal(
        points.states, at.analysis.fixed_points(run.networks[0], n_starts=4).states
    )


@pytest.mark.parametrize(
    "use",
    [
        lambda run: run.task.sample(3),
        lambda run: run.task.n_steps,
        lambda run: run.task.ideal(),
        lambda run: at.evaluate(run),
        lambda run: at.robustness(run, vary="noise", values=[1]),
        lambda run: at.train(run.task),
        lambda run: at.recipe(run.task),
        lambda run: at.analysis.automaton(run.networks[0], run.task),
        lambda run: at.report.study(run, fixed_points=True),
    ],
    ids=range(9),
)
def test_what_needs_the_task_says_that_it_is_missing(run, use):
    with pytest.raises(at.InvalidSetting) as caught:
        use(at.load(run.path))
    assert str(caught.value).startswith(SAID)
    assert "at.load" in str(caught.value)
    assert "attractory --import FILE" in str(caught.value)


def test_a_copy_of_a_run_without_its_task_is_whole(run, tmp_path):
    found = at.load(run.path)
    copy = found.save(tmp_path / "copy")
    at.tasks.register(Mine)
    again = at.load(copy)
    assert isinstance(again.task, Mine)
    assert again.config == run.config
    np.testing.assert_array_equal(again.task.kernel, np.arange(3.0))


@pytest.mark.usefixtures("undrawn")
def test_the_page_leaves_out_what_needs_the_task_and_says_so(run):
    study = at.report.study(at.load(run.path), progress=False)
    page = at.report.write(study.run, results=study).read_text()
    assert f"Not known: {SAID}" in html.unescape(page)
    assert "Trials, scores and states are left out: task &#39;mine&#39; is not known here" in page
    headings = [title for title in ("Scores", "State space", "Learning", "Weights")
                if f"<h2>{title}</h2>" in page]  # fmt: skip
    assert headings == ["Learning", "Weights"]
    study.save(run.path / "analysis")
    tables = {file.name for file in (run.path / "analysis").iterdir()}
    assert tables == {"networks.csv", "eigenvalues.csv", "connectivity.csv", "audit.csv"}


def test_an_unknown_rule_keeps_its_name_and_settings(tmp_path, registries):
    at.rules.register(Slowly)
    run = trained(tmp_path / "run", rule=Slowly)
    registries()
    found = at.load(run.path)
    assert isinstance(found.rule, UnknownRule)
    assert found.config == run.config
    assert at.evaluate(found, n=4).mse == at.evaluate(run, n=4).mse
    with pytest.raises(at.InvalidSetting, match="rule 'Slowly' is not known here"):
        at.train(found.task, found.model, found.rule, progress=False)


def test_an_unknown_model_is_one_line(tmp_path, registries):
    at.models.register(MyCell)
    run = trained(tmp_path / "run", model=MyCell)
    registries()
    with pytest.raises(at.InvalidSetting, match="model 'MyCell' is not known here.*--import FILE"):
        at.load(run.path)


def test_the_manifest_names_the_file_of_an_own_part(tmp_path, registries, monkeypatch):
    """The content that was imported, though the file has changed since."""
    file = tmp_path / "tasks_of_mine.py"
    file.write_text(
        "import attractory as at\n\n\n@at.tasks.register\nclass Other(at.tasks.And):\n    pass\n"
    )
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.syspath_prepend(tmp_path)
    try:
        import tasks_of_mine  # noqa: F401

        file.write_text("changed = True\n")
        run = trained(tmp_path / "run", "other")
    finally:
        sys.modules.pop("tasks_of_mine", None)
    text = (run.path / "manifest.json").read_text()
    named = {"name": "tasks_of_mine.py", "sha256": sha256}
    assert named in json.loads(text)["imports"]
    assert str(tmp_path) not in text
    registries()
    found = at.load(run.path)
    assert named in found.imports
    with pytest.raises(at.InvalidSetting, match="made with '.*tasks_of_mine.py'"):
        found.task.sample(1)
    copy = found.save(tmp_path / "copy")
    assert named in json.loads((copy / "manifest.json").read_text())["imports"]
