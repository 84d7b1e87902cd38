"""Folders of sweeps and tunings with runs that nobody trained: their numbers are given."""

from __future__ import annotations

from typing import Any

import numpy as np

import attractory as at
from attractory._files import write_bytes, write_json
from attractory.sweeps import _store, _tuning_store
from attractory.sweeps._pack import packed

TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(steps=4, batch=4)
GRID = {"rule.learning_rate": [1e-3, 1e-2, 1e-1], "model.activation": ["tanh", "relu"],
        "seed": [0, 1]}  # fmt: skip
LINE = "ValueError: no such luck <b>at all</b>"


def network(net: int, correct: float, outcome: str = "finished") -> dict[str, Any]:
    return {"net": net, "outcome": outcome, "step": 4, "loss": 1 - correct,
            "validation_loss": float("nan"), "correct": correct, "accuracy": 1.0,
            "mse": 2 - correct, "distance": 1.0}  # fmt: skip


def made_sweep(folder: Any, vary: Any = None, left: int = 1, **more: Any) -> at.sweeps.Sweep:
    """A sweep whose runs are done but the last: `left` wait, two before them failed."""
    common: dict[str, Any] = {"task": TASK, "model": MODEL, "rule": RULE, "nets": 2}
    study = at.sweeps.Study(**common, vary=vary or {"grid": GRID}, **more)
    store = _store.begun(folder, study, study.points())
    scores = np.random.default_rng(0).random((len(store.jobs), 2))
    done = max(len(store.jobs) - left - 2, 0)
    empty = folder.parent / "empty"
    empty.mkdir(exist_ok=True)
    for i, job in enumerate(store.jobs[:done]):
        networks = [network(net, float(scores[i, net])) for net in range(2)]
        noted = {"networks": networks, "seconds": 2.0, "memory": 2**28, "host": f"node{i % 2}"}
        record = {"versions": {"jax": "0.10"}, "commit": "abc", "noted": noted}
        store.keep(job, packed(empty, record), noted)
    for job in store.jobs[done : done + 2]:
        store.note(job, _store.FAILED, line=LINE, attempt=3)
    store.close()
    return at.open_sweep(folder)


def tuning_study(**more: Any) -> at.sweeps.TuningStudy:
    tune = {
        "rule.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "model.recurrent_gain": {"low": 0.5, "high": 1.5},
        "model.activation": ["tanh", "relu"],
    }
    common = {"task": TASK, "model": MODEL, "rule": RULE, "tune": tune, "objective": "mse"}
    return at.sweeps.TuningStudy(**{**common, "storage": "journal", **more})


def made_tuning(folder: Any, trials: Any, **more: Any) -> at.sweeps.Tuning:
    """A tuning with these trials: pairs of a state and numbers of the objectives."""
    import optuna

    study = tuning_study(**more)
    folder.mkdir(exist_ok=True)
    of_optuna = _tuning_store.begun(folder, study)
    rng = np.random.default_rng(0)
    for number, (state, numbers) in enumerate(trials):
        values, spans = _drawn(study, rng)
        attributes = {"line": LINE} if state == "fail" else {"seconds": 2.0, "host": "node0"}
        made = optuna.trial.create_trial(
            state=optuna.trial.TrialState[state.upper()], values=numbers, params=values,
            distributions=spans, user_attrs=attributes,
        )  # fmt: skip
        of_optuna.add_trial(made)
        if state == "complete":
            record = {"versions": {"jax": "0.10"}, "commit": "abc"}
            empty = folder / "at-work"
            empty.mkdir(exist_ok=True)
            write_bytes(_tuning_store.trial_file(folder, number), packed(empty, record))
    return at.open_tuning(folder)


def _drawn(study: at.sweeps.TuningStudy, rng: np.random.Generator) -> tuple[Any, Any]:
    """Values of one trial, and Optuna's words for what they are drawn from."""
    import optuna

    values: dict[str, Any] = {}
    spans: dict[str, Any] = {}
    for name, of in study.tune.items():
        if isinstance(of, list):
            values[name] = of[int(rng.integers(len(of)))]
            spans[name] = optuna.distributions.CategoricalDistribution(of)
        else:
            values[name] = of.draw(rng)
            spans[name] = optuna.distributions.FloatDistribution(of.low, of.high, log=of.log)
    return values, spans


def retrained(tuning: at.sweeps.Tuning, numbers: dict[int, list[float]], score: str) -> None:
    """Networks on fresh seeds, one a seed, by the trials whose values they have."""
    rows = [
        {"trial": trial, "seed": seed + 1, "net": 0, score: value}
        for trial, values in numbers.items()
        for seed, value in enumerate(values)
    ]
    write_json(tuning.path / _tuning_store.RETRAINED_ROWS, rows)
