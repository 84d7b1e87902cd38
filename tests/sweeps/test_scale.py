"""Ten thousand runs: what the folder costs, how long a listing, the table and the page take."""

from __future__ import annotations

import time

import numpy as np
import pytest

import attractory as at
from attractory.sweeps._pack import packed
from attractory.sweeps._store import begun
from attractory.sweeps._work import scored

pytestmark = pytest.mark.slow

GRID = {
    "rule.learning_rate": np.geomspace(1e-4, 1e-1, 10).tolist(),
    "model.recurrent_gain": np.linspace(0.5, 1.5, 10).tolist(),
    "seed": range(100),
}
RUNS = 10_000


def timed(what):
    began = time.perf_counter()
    made = what()
    return made, time.perf_counter() - began


def test_ten_thousand_runs_are_listed_and_tabulated_in_time(tmp_path):
    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
    study = at.sweeps.Study(
        task=task,
        model=at.models.RateRNN(units=16),
        rule={"steps": 10, "batch": 4},
        vary={"grid": GRID},
    )
    points, seconds = timed(study.points)
    print(f"points: {1e3 * seconds / RUNS:.3f} ms a run")
    folder = tmp_path / "one"
    run = at.train(task, points[0].model, points[0].rule, path=folder, progress=False)
    noted = {"networks": scored(run, study.scoring), "seconds": 1.0, "memory": 1, "host": "here"}
    content = packed(folder, {"noted": noted})
    store = begun(tmp_path / "sweep", study, points)

    scores = np.random.default_rng(0).random(RUNS)

    def keep_all():
        for job, score in zip(store.jobs, scores, strict=True):
            own = [{**noted["networks"][0], "correct": score}]  # or there is nothing to draw
            store.keep(job, content, {**noted, "networks": own})

    _, seconds = timed(keep_all)
    store.close()
    print(f"kept: {1e3 * seconds / RUNS:.3f} ms a run, {len(content)} bytes each")
    sweep, listing = timed(lambda: at.open_sweep(tmp_path / "sweep"))
    status, counting = timed(lambda: sweep.status)
    table, tabulating = timed(sweep.table)
    print(f"opened {listing:.3f} s, counted {counting:.3f} s, table {tabulating:.3f} s")
    assert status["done"] == len(table) == RUNS
    assert listing + counting < 1e-3 * RUNS
    assert tabulating < 2
    page, seconds = timed(sweep.report)
    print(f"page: {seconds:.2f} s, {page.stat().st_size} bytes")
    assert seconds < 10
    assert page.stat().st_size < 2e6  # a browser opens it at once: it has no row a run
    (tmp_path / "sweep" / "index.jsonl").unlink()
    again, seconds = timed(lambda: at.open_sweep(tmp_path / "sweep"))
    print(f"index made again: {seconds:.3f} s")
    assert again.status == status
