"""A run: what was asked, the networks that came out, and how they got there."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attractory import models, rules, tasks
from attractory._errors import AttractoryError, FileProblem, InvalidSetting
from attractory._files import as_path, digest, read_bytes
from attractory._settings import Settings
from attractory.models import Model, Network, check_meeting
from attractory.rules import Rule
from attractory.runs._folder import (
    HISTORY,
    MANIFEST,
    NETWORKS,
    claim_folder,
    parsed_weights,
    read_file,
    read_manifest,
    weights_content,
    write_run,
)
from attractory.runs._results import Results
from attractory.runs._weights import checked_weights

# what the loop itself knows of every update; the rule's own columns stand before learning_rate
LOOP_COLUMNS = (
    "net",
    "step",
    "loss",
    "validation_loss",
    "learning_rate",
    "seconds",
    "spectral_radius",
)
KINDS = ("task", "model", "rule")  # what describes a run
NEWER_COLUMNS = ("spectral_radius",)  # NaN in histories that were written before there was one
MOST_READINGS = 3  # of a run that another process writes anew while it is read


@dataclass(repr=False)
class Run:
    """Networks that were trained (or imported) together, with all that is needed to know how.

    Attributes
    ----------
    task : Task
        What the networks were trained on, or are analysed on.
    model : Model
        What the networks are.
    networks : sequence of Network
        The networks, in order.
    status : list of dict
        A row for each network: net, seed, status ("finished", "stopped early", "diverged",
        "imported"), step, events.
    rule : Rule or None
        How they were trained; None of imported ones.
    seed : int
        The seed of the training.
    history : pandas.DataFrame
        A row for each net and step (columns net, step, loss, validation_loss, what else the rule
        reports, as BPTT its gradient_norm, learning_rate, seconds, spectral_radius; step counts
        from 1, loss is that of the batch before the update, spectral_radius is that of the
        recurrent weights after it, at checks, NaN elsewhere and for models without one square
        matrix).
    source : dict or None
        Where imported networks came from.
    path : Path or None
        The run's folder; None while it is in memory only.
    """

    task: tasks.Task
    model: Model
    networks: Sequence[Network]
    status: list[dict[str, Any]]
    rule: Rule | None = None
    seed: int = 0
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LOOP_COLUMNS))
    source: dict[str, Any] | None = None
    path: Path | None = None

    def __repr__(self) -> str:
        """One line, and a row a network."""
        by = "" if self.rule is None else f" by {type(self.rule).__name__}"
        what = f"{len(self.networks)} x {self.model!r} on {self.task!r}{by}, seed {self.seed}"
        where = "in memory" if self.path is None else str(self.path)
        columns = ("net", "status", "step")
        rows = pd.DataFrame([{name: row.get(name) for name in columns} for row in self.status])
        return f"Run ({where}): {what}\n{rows.head(12).to_string(index=False)}"

    @property
    def results(self) -> Results:
        """What was computed on these networks: kept in the run's folder, found again by it."""
        return Results(self, given_functions(self.task, self.model, self.rule))

    @property
    def config(self) -> dict[str, Any]:
        """Everything that was asked, in JSON's terms; two runs with equal configs are the same."""
        return run_config(
            self.task, self.model, self.rule, len(self.networks), self.seed, self.source
        )

    def save(self, path: str | Path | None = None) -> Path:
        """Write the run to a folder.

        Parameters
        ----------
        path : str or Path, optional
            The folder; the run's own when None.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InvalidSetting
            When no folder is named, and the run has none.
        FileProblem
            When the folder belongs to another run or to another process that works on it, or cannot
            be written, or when weights are not finite.
        """
        if path is None and self.path is None:
            raise InvalidSetting("path = None is not allowed: this run has no folder yet; name one")
        folder = as_path(path if path is not None else self.path)
        with claim_folder(folder, self.config) as claim:
            kept = {} if claim.manifest is None else claim.manifest.get("files", {})
            self.write(folder, {n: sha for n, sha in kept.items() if n not in (NETWORKS, HISTORY)})
        return folder

    def write(self, folder: Path, others: dict[str, str]) -> None:
        """Write the run to a folder that this process has claimed.

        Parameters
        ----------
        folder : Path
            The folder.
        others : dict of str to str
            SHA-256 of the run's files that are there already, by their names in the folder.
        """
        stacked = self._stacked()
        checked_weights(folder / NETWORKS, self.model, stacked, len(self.networks))
        contents = {
            NETWORKS: weights_content(stacked, given_arrays(self.task, self.model, self.rule)),
            HISTORY: self.history.to_csv(index=False).encode(),
        }
        write_run(folder, self.config, self.status, contents, others)
        self.path = folder

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
    check_meeting(network.model, task)
    # its file may not say how long its steps are: now it is said
    network = network.with_dt(task.dt)
    source = {"file": Path(file).name, "sha256": digest(read_bytes(Path(file)))}
    status: list[dict[str, Any]] = [
        {"net": 0, "seed": None, "status": "imported", "step": None, "events": []}
    ]
    return Run(task, network.model, [network], status, source=source)


def load(path: str | Path, **functions: Callable[..., Any]) -> Run:
    """A run from its folder.

    Parameters
    ----------
    path : str or Path
        The folder.
    **functions : callable
        Those that the model (or task, or rule) was made with, by the names of its settings
        (`activation`, `step`): a function cannot be stored.

    Returns
    -------
    Run
        The run that was saved.

    Raises
    ------
    FileProblem
        When a file is missing, damaged or does not fit the others.
    InvalidSetting
        When a function is missing.
    """
    folder = as_path(path)
    for _ in range(MOST_READINGS - 1):
        manifest = read_manifest(folder)
        try:
            return _loaded(folder, manifest, functions)
        except FileProblem:  # damage; or another process has written it anew in the meantime
            if read_manifest(folder) == manifest:
                raise
    return _loaded(folder, read_manifest(folder), functions)


def _loaded(folder: Path, manifest: dict[str, Any], functions: dict[str, Any]) -> Run:
    if manifest["status"] != "finished":
        raise FileProblem(
            f"{folder}: this run is not finished; repeat its command and it goes on from its "
            "last checkpoint"
        )
    place = folder / NETWORKS
    weights, given = parsed_weights(read_file(folder, manifest, NETWORKS), str(place))
    config, rows = manifest["config"], manifest["networks"]
    task, model, rule = _described(folder / MANIFEST, config, given, functions)
    checked_weights(place, model, weights, len(rows))
    networks = [Network(model, {n: w[i] for n, w in weights.items()}) for i in range(len(rows))]
    history = _read_history(folder / HISTORY, read_file(folder, manifest, HISTORY))
    seed, source = config["seed"], config["source"]
    return Run(task, model, networks, rows, rule, seed, history, source, folder)


def run_config(
    task: tasks.Task,
    model: Model,
    rule: Rule | None,
    nets: int,
    seed: int,
    source: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What identifies a run, in JSON's terms.

    Parameters
    ----------
    task : Task
        What the networks are trained on.
    model : Model
        What they are.
    rule : Rule or None
        How they are trained; None of imported ones.
    nets : int
        Number of networks.
    seed : int
        The seed of the training.
    source : dict, optional
        Where imported networks came from.

    Returns
    -------
    dict
        Two runs with equal ones are the same.
    """
    return {
        "task": {"name": task.name, "settings": task.to_json()},
        "model": {"name": type(model).__name__, "settings": model.to_json()},
        "rule": rule and {"name": type(rule).__name__, "settings": rule.to_json()},
        "nets": nets,
        "seed": int(seed),
        "source": source,
    }


def given_arrays(*parts: Settings | None) -> dict[str, np.ndarray]:
    """The arrays among the settings of task, model and rule, by name: 'given.model.recurrent_init'
    and so on."""
    found: dict[str, np.ndarray] = {}
    for kind, settings in zip(KINDS, parts, strict=True):
        if settings is not None:
            _collect(f"given.{kind}", settings, found)
    return found


def given_functions(*parts: Settings | None) -> dict[str, Any]:
    """The functions among settings, which a run's folder does not hold.

    Parameters
    ----------
    *parts : Settings or None
        Task, model and rule.

    Returns
    -------
    dict of str to callable
        By the names of the settings.
    """
    found: dict[str, Any] = {}
    for settings in parts:
        for said, name in {} if settings is None else settings.setting_names().items():
            if callable(getattr(settings, name)):
                found[said] = getattr(settings, name)
    return found


def _collect(where: str, settings: Settings, found: dict[str, np.ndarray]) -> None:
    """Arrays of settings, and of settings within them, into `found`."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        parts = value if isinstance(value, tuple) else (value,)
        for i, part in enumerate(parts):
            place = f"{where}.{name}" if part is value else f"{where}.{name}.{i}.settings"
            if isinstance(part, Settings):
                _collect(place, part, found)
            elif hasattr(part, "__array__") and not isinstance(part, np.generic):
                found[place] = np.asarray(part)


def _described(
    path: Path, config: dict[str, Any], given: dict[str, np.ndarray], functions: dict[str, Any]
) -> tuple[tasks.Task, Model, Rule | None]:
    """Task, model and rule from their JSON in a manifest at `path`."""
    try:
        return _made(config, given, functions)
    except AttractoryError:
        raise
    except Exception as error:  # whatever a constructor says to values that are none of its own
        kind = type(error).__name__
        raise FileProblem(f"{path}: its settings make no run ({kind}: {error})") from error


def _made(
    config: dict[str, Any], given: dict[str, np.ndarray], functions: dict[str, Any]
) -> tuple[tasks.Task, Model, Rule | None]:
    finders = {"task": tasks.find, "model": models.find, "rule": rules.find}
    made: dict[str, Any] = {"rule": None}
    for kind in KINDS:
        if config[kind] is not None:
            values = _settings(config[kind], kind, given, functions)
            made[kind] = finders[kind](config[kind]["name"])(**values)
    return made["task"], made["model"], made["rule"]


def _settings(
    description: dict[str, Any],
    kind: str,
    given: dict[str, np.ndarray],
    functions: dict[str, Any],
) -> dict[str, Any]:
    """Settings with the user's arrays and functions put back where something stands for them."""
    values: dict[str, Any] = _put_back(description["settings"], f"given.{kind}", given)
    for name, value in values.items():
        if isinstance(value, dict) and set(value) == {"function"}:
            if name not in functions:
                raise InvalidSetting(
                    f"{name} = None: this {kind} was made with the function {value['function']!r}, "
                    f"which is not stored; hand it over: attractory.load(path, {name}=...)"
                )
            values[name] = functions[name]
    return values


def _put_back(value: Any, place: str, given: dict[str, np.ndarray]) -> Any:
    if place in given:
        return given[place]
    if isinstance(value, dict):
        return {name: _put_back(each, f"{place}.{name}", given) for name, each in value.items()}
    if isinstance(value, list):
        return [_put_back(each, f"{place}.{i}", given) for i, each in enumerate(value)]
    return value


def _read_history(path: Path, content: bytes) -> pd.DataFrame:
    try:
        history = pd.read_csv(io.BytesIO(content))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise FileProblem(f"{path}: damaged, not readable as CSV ({reason})") from None
    for column in NEWER_COLUMNS:
        if column not in history.columns:
            history[column] = np.nan
    missing = [c for c in LOOP_COLUMNS if c not in history.columns]
    if missing:
        raise FileProblem(f"{path}: damaged: column {missing[0]!r} is missing")
    for column in history.columns:
        if len(history) and not pd.api.types.is_numeric_dtype(history[column]):
            raise FileProblem(f"{path}: damaged: column {column!r} holds other things than numbers")
    return history
