"""The study and the page: complete, true to the run, and for any task."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import attractory as at
from attractory.report import study, write
from attractory.rules import BPTT

TASK = at.tasks.FlipFlop(bits=2, steps=120, first_onset=(5, 20), pulse=5, delay=5)
MODEL = at.models.RateRNN(units=20)


@pytest.fixture(scope="module")
def run():
    rule = BPTT(steps=5, batch=4, optimizer="adam")
    return at.train(TASK, MODEL, rule, nets=2, progress=False)


@pytest.fixture(scope="module")
def results(run):
    return study(run, n=16, seed=3)


def test_tables_hold_what_the_single_analyses_give(run, results):
    table = results.network_table()
    scores = at.evaluate(run.networks, TASK, 16, seed=3)
    np.testing.assert_array_equal(table["mse"], scores.mse)
    for net, network in enumerate(run.networks):
        spectrum = at.analysis.spectrum(network)
        assert table["spectrum_radius"][net] == spectrum.radius
        cube = at.analysis.hypercube(at.analysis.state_space(network, TASK.walk()))
        assert table["cube_r_squared"][net] == pytest.approx(cube.r_squared)


def test_the_published_tasks_last_step_is_left_out_and_shown_beside():
    model = at.models.RateRNN(units=12)
    run = at.runs.Run(
        at.tasks.FlipFlop.paper(),
        model,
        [model.build(3, 3)],
        [{"net": 0, "seed": 0, "status": "finished", "step": 0}],
    )
    results = study(run, n=8, seed=4)
    trials = at.tasks.FlipFlop.paper().sample(8, seed=4)
    errors = (run.networks[0].respond(trials.inputs) - trials.targets) ** 2
    assert results.scores.mse[0] == pytest.approx(errors[:, :-1].mean(), rel=1e-5)
    assert results.scores_with_last_step.mse[0] == pytest.approx(errors.mean(), rel=1e-5)


def test_saved_tables_come_back(results, tmp_path):
    results.save(tmp_path)
    table = pd.read_csv(tmp_path / "networks.csv")
    np.testing.assert_allclose(table["mse"], results.scores.mse)
    eigenvalues = pd.read_csv(tmp_path / "eigenvalues.csv").query("net == 1")
    np.testing.assert_allclose(
        eigenvalues["real"] + 1j * eigenvalues["imaginary"], results.spectra[1].eigenvalues
    )


@pytest.mark.usefixtures("undrawn")
def test_page_tells_all_settings_seeds_and_versions(run, results, tmp_path):
    page = write(run, tmp_path / "report.html", results).read_text()
    for kind in ("task", "model", "rule"):
        for name in run.config[kind]["settings"]:
            assert f"<td>{kind}.{name}</td>" in page
    assert f"<td>{jax.__version__}</td>" in page
    assert "<td>seed</td><td>0</td>" in page
    for mse in results.scores.mse:
        assert f">{mse:.4f}</td>" in page
    assert "$" not in page[: page.index("<script>")]  # every place of the template is filled


@pytest.mark.usefixtures("undrawn")
def test_page_asks_for_nothing_from_outside(run, results, tmp_path):
    page = write(run, tmp_path / "report.html", results).read_text()
    outline = page[: page.index("<script>")] + page[page.rindex("</script>") :]
    assert 'src="http' not in outline
    assert "<link" not in outline.replace('<link rel="icon" href="data:,">', "")


@pytest.mark.usefixtures("undrawn")
def test_names_that_look_like_html_stay_text(run, results, tmp_path):
    run = at.runs.Run(
        run.task, run.model, run.networks, run.status, source={"file": "<b>x</b>", "sha256": "0"}
    )
    results = study(run, n=4)
    page = write(run, tmp_path / "report.html", results).read_text()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


@pytest.mark.usefixtures("undrawn")
def test_a_users_own_task_gets_a_report_too(tmp_path):
    class Echo(at.tasks.Task):
        """Say what came in ten steps before."""

        def trial(self, key):
            inputs = jax.random.normal(key, (40, 1))
            return at.tasks.Trial(inputs, jnp.roll(inputs, 10, axis=0).at[:10].set(0.0))

    rule = BPTT(steps=3, batch=4, optimizer="adam")
    run = at.train(Echo(), at.models.RateRNN(units=8), rule, progress=False)
    results = study(run, n=8)
    assert results.cubes is None
    assert results.curves == []
    page = write(run, tmp_path / "report.html", results).read_text()
    assert "echo: one network of 8 units" in page


@pytest.mark.usefixtures("undrawn")
def test_a_network_of_two_units_and_one_bit_gets_a_report(tmp_path):
    """Fewer than three dimensions: no 3-D plot, but everything else."""
    model = at.models.RateRNN(units=2)
    task = at.tasks.FlipFlop(bits=1, steps=90, first_onset=(5, 20), pulse=5, delay=5)
    run = at.runs.Run(
        task,
        model,
        [model.build(1, 1)],
        [{"net": 0, "seed": 0, "status": "finished", "step": 0}],
    )
    results = study(run, n=4)
    assert results.spaces[0].coordinates.shape[-1] == 2
    page = write(run, tmp_path / "report.html", results).read_text()
    assert "plotly" not in page
    assert not (tmp_path / "figures" / "state_space.svg").exists()
