"""A run: what was asked, the networks that came out, and how they got there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attractory import tasks
from attractory._errors import FileProblem, InvalidSetting, nearest
from attractory._files import write_text
from attractory._settings import Settings
from attractory.kernels import Activation
from attractory.models import Network, RateRNN
from attractory.rules import BPTT
from attractory.runs._folder import (
    HISTORY,
    MANIFEST,
    NETWORKS,
    claim_folder,
    read_manifest,
    read_weights,
    write_manifest,
    write_weights,
)

HISTORY_COLUMNS = (
    "net",
    "step",
    "loss",
    "validation_loss",
    "gradient_norm",
    "learning_rate",
    "seconds",
)

_models: dict[str, type[RateRNN]] = {"RateRNN": RateRNN}
_rules: dict[str, type[BPTT]] = {"BPTT": BPTT}


@dataclass
class Run:
    """Networks that were trained (or imported) together, with all that is needed to know how.

    networks: the networks, in order. history: a row for each net and step (columns net, step,
    loss, validation_loss, gradient_norm, learning_rate, seconds; step counts from 1, loss is that
    of the batch before the update). status: a row (dict) for each network: net, seed, status
    ("finished", "stopped early", "diverged", "imported"), step, events. path: the run's folder, or
    None while it is in memory only. source: where imported networks came from.
    """

    task: tasks.Task
    model: RateRNN
    networks: Sequence[Network]
    status: list[dict[str, Any]]
    rule: BPTT | None = None
    seed: int = 0
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=HISTORY_COLUMNS))
    source: dict[str, Any] | None = None
    path: Path | None = None

    @property
    def config(self) -> dict[str, Any]:
        """Everything that was asked, in JSON's terms; two runs with equal configs are the same."""
        return run_config(
            self.task, self.model, self.rule, len(self.networks), self.seed, self.source
        )

    def save(self, path: str | Path | None = None) -> Path:
        """Write the run to a folder (its own when None) and return the folder.

        Raises FileProblem when the folder belongs to another run or cannot be written.
        """
        if path is None and self.path is None:
            raise InvalidSetting("path = None is not allowed: this run has no folder yet; name one")
        folder = Path(path) if path is not None else Path(str(self.path))
        claim_folder(folder, self.config)
        write_weights(folder / NETWORKS, self._stacked(), given_arrays(self.task, self.model))
        write_text(folder / HISTORY, self.history.to_csv(index=False))
        write_manifest(folder, self.config, "finished", self.status)
        self.path = folder
        return folder

    def _stacked(self) -> dict[str, np.ndarray]:
        names = self.networks[0].weights
        return {n: np.stack([np.asarray(net.weights[n]) for net in self.networks]) for n in names}


def imported_run(network: Network, task: tasks.Task, file: str | Path) -> Run:
    """A run that holds one network from a file of another framework, to be analysed on a task."""
    for name in ("n_inputs", "n_outputs"):
        if getattr(network, name) != getattr(task, name):
            raise InvalidSetting(
                f"{file}: the network has {name} = {getattr(network, name)}, "
                f"the task {task.name} has {getattr(task, name)}; they must be equal"
            )
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    source = {"file": Path(file).name, "sha256": digest}
    status: list[dict[str, Any]] = [
        {"net": 0, "seed": None, "status": "imported", "step": None, "events": []}
    ]
    return Run(task, network.model, [network], status, source=source)


def load(path: str | Path, activation: Activation | None = None) -> Run:
    """A run from its folder.

    activation: the function, where the model was trained with a user's own one (a function cannot
    be stored). Raises FileProblem when a file is missing, damaged or does not fit the others.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    if manifest["status"] != "finished":
        raise FileProblem(
            f"{folder}: this run is not finished; repeat its command and it goes on from its "
            "last checkpoint"
        )
    weights, given = read_weights(folder / NETWORKS)
    config = manifest["config"]
    try:
        task, model, rule = _described(config, given, activation)
        seed, source, rows = config["seed"], config["source"], manifest["networks"]
    except (KeyError, TypeError) as error:
        raise FileProblem(f"{folder / MANIFEST}: damaged: {error} is missing or wrong") from None
    networks = _unstacked(folder / NETWORKS, model, weights, len(rows))
    return Run(task, model, networks, rows, rule, seed, _read_history(folder), source, folder)


def run_config(
    task: tasks.Task,
    model: RateRNN,
    rule: BPTT | None,
    nets: int,
    seed: int,
    source: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What identifies a run, in JSON's terms."""
    return {
        "task": {"name": task.name, "settings": task.to_json()},
        "model": {"name": type(model).__name__, "settings": model.to_json()},
        "rule": rule and {"name": type(rule).__name__, "settings": rule.to_json()},
        "nets": nets,
        "seed": int(seed),
        "source": source,
    }


def given_arrays(task: Settings, model: Settings) -> dict[str, np.ndarray]:
    """The arrays among the settings, by name: 'given.model.recurrent_init' and so on."""
    return {
        f"given.{kind}.{name}": np.asarray(getattr(settings, name))
        for kind, settings in [("task", task), ("model", model)]
        for name in type(settings).model_fields
        if hasattr(getattr(settings, name), "__array__")
    }


def _described(
    config: dict[str, Any], given: dict[str, np.ndarray], activation: Activation | None
) -> tuple[tasks.Task, RateRNN, BPTT | None]:
    """Task, model and rule from their JSON."""
    task_class = tasks.find(config["task"]["name"])
    task = task_class(**_settings(config["task"], "task", given))
    model_values = _settings(config["model"], "model", given)
    if isinstance(model_values["activation"], dict):
        name = model_values["activation"]["function"]
        if activation is None:
            raise InvalidSetting(
                f"activation = None: this model was made with the function {name!r}, which is not "
                "stored; hand it over: attractory.load(path, activation=...)"
            )
        model_values["activation"] = activation
    model = _class(_models, "model", config["model"]["name"])(**model_values)
    if config["rule"] is None:
        return task, model, None
    rule = _class(_rules, "rule", config["rule"]["name"])(**config["rule"]["settings"])
    return task, model, rule


def _class(known: dict[str, Any], kind: str, name: str) -> Any:
    if name not in known:
        raise FileProblem(f"{kind} {name!r} of this run is unknown here; {nearest(name, known)}")
    return known[name]


def _settings(
    description: dict[str, Any], kind: str, given: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Settings with the user's arrays put back in the place of their fingerprints."""
    values = dict(description["settings"])
    for name in values:
        if f"given.{kind}.{name}" in given:
            values[name] = given[f"given.{kind}.{name}"]
    return values


def _unstacked(
    path: Path, model: RateRNN, stacked: dict[str, np.ndarray], nets: int
) -> list[Network]:
    """One Network for each row, after the shapes were checked against the model."""
    missing = {"input_weights", "output_weights"} - set(stacked)
    if missing:
        raise FileProblem(f"{path}: damaged: {sorted(missing)[0]!r} is missing")
    n_inputs, n_outputs = stacked["input_weights"].shape[-1], stacked["output_weights"].shape[1]
    for name, shape in model.weight_shapes(n_inputs, n_outputs).items():
        if name not in stacked:
            raise FileProblem(f"{path}: damaged: {name!r} is missing")
        if stacked[name].shape != (nets, *shape):
            raise FileProblem(
                f"{path}: {name!r} has shape {stacked[name].shape}, the manifest asks for "
                f"{(nets, *shape)}"
            )
    return [Network(model, {n: w[i] for n, w in stacked.items()}) for i in range(nets)]


def _read_history(folder: Path) -> pd.DataFrame:
    path = folder / HISTORY
    try:
        history = pd.read_csv(path)
    except FileNotFoundError:
        raise FileProblem(f"{path}: this file is missing") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise FileProblem(f"{path}: damaged, not readable as CSV ({error})") from None
    missing = [c for c in HISTORY_COLUMNS if c not in history.columns]
    if missing:
        raise FileProblem(f"{path}: damaged: column {missing[0]!r} is missing")
    return history
