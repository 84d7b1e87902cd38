"""The best of a tuning trained again on fresh seeds, scored on trials that no choice has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attractory._files import exists, write_json
from attractory.runs import FolderLock, Run, worked_on
from attractory.sweeps._pack import unpacked
from attractory.sweeps._tuning import Tuning
from attractory.sweeps._tuning_store import KEPT, RETRAINED, RETRAINED_ROWS, trial_file
from attractory.sweeps._tuning_study import TuningStudy
from attractory.sweeps._vary import Values
from attractory.sweeps._work import scored
from attractory.training import train


def retrain(tuning: Tuning, study: TuningStudy, say: Callable[[str], None]) -> None:
    """Keep the best trials as folders, and train them again; the last process at work does it."""
    place = tuning.path / RETRAINED
    if tuning.status["running"] or worked_on(place):
        return
    with FolderLock(place, "tuning"):
        rows = []
        for number in tuning.best_trials:
            _keep(tuning, number)
            rows += _rows(tuning, study, number, say)
        write_json(tuning.path / RETRAINED_ROWS, rows)


def _keep(tuning: Tuning, number: int) -> None:
    folder = tuning.path / KEPT / f"trial-{number:05d}"
    if not exists(folder / "manifest.json"):
        unpacked(trial_file(tuning.path, number), folder)


def _rows(
    tuning: Tuning, study: TuningStudy, number: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row for each network of each fresh seed; what was done before is not done again."""
    known = [row for row in tuning.retrained_rows if row["trial"] == number]
    values = tuning.values(number)
    rows = []
    for seed in range(study.seed + 1, study.seed + 1 + study.retrain):
        of_seed = [row for row in known if row["seed"] == seed]
        if not of_seed:
            say(f"the values of trial {number} again, with seed {seed}")
            of_seed = _retrained(tuning, study, number, values, seed)
        rows += of_seed
    return rows


def _retrained(
    tuning: Tuning, study: TuningStudy, number: int, values: Values, seed: int
) -> list[dict[str, Any]]:
    point = study.point(values, seed)
    folder = tuning.path / RETRAINED / f"trial-{number:05d}-seed-{seed}"
    run: Run = train(
        point.task, point.model, point.rule, nets=point.nets, seed=seed, path=folder, progress=False
    )
    fresh = study.scored.replace(seed=study.scored.seed + 1)
    return [{"trial": number, "seed": seed, **row} for row in scored(run, fresh)]
