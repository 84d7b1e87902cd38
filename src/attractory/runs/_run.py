"""A run: what was asked, the networks that came out, and how they got there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from attractory._arguments import instance_of, made_with, optional, refusal, takes, whole
from attractory._errors import InvalidSetting, NamesNearest
from attractory._files import a_path, as_path
from attractory._shown import as_html
from attractory.models import Model, Network, check_fit, networks_of
from attractory.rules import Rule
from attractory.runs._checks import KEEPS_THEM, Check, kept_checks
from attractory.runs._config import run_config
from attractory.runs._folder import (
    HISTORY,
    NETWORKS,
    RULE_REPORT,
    claim_folder,
    read_manifest,
    weights_content,
    write_run,
)
from attractory.runs._given import given_arrays, given_functions
from attractory.runs._history import LOOP_COLUMNS
from attractory.runs._join import joined
from attractory.runs._results import Results
from attractory.runs._weights import checked_weights
from attractory.tasks import Task, as_task

SHOWN = ("net", "status", "step")  # of a network's row, where a run is shown
MOST_SHOWN = 7  # networks


def _row(net: int) -> dict[str, Any]:
    """The row of a network that was not trained here."""
    return {"net": net, "seed": None, "status": "imported", "step": None, "events": []}


def _networks(name: str, value: Any) -> list[Network]:
    return networks_of(value, name)


@made_with(
    task=as_task,
    model=instance_of(Model),
    networks=_networks,
    rule=optional(instance_of(Rule)),
    seed=whole(),
    history=instance_of(pd.DataFrame),
    path=optional(a_path),
)
@dataclass(repr=False)
class Run(NamesNearest):
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
        "imported"), step, events. Where none is given they are "imported".
    rule : Rule or None
        How they were trained; None of imported ones.
    seed : int
        The seed of the training.
    history : pandas.DataFrame
        A row for each net and step (columns net, step, loss, validation_loss, what else the rule
        reports, as BPTT its gradient_norm, learning_rate, seconds, spectral_radius; step counts
        from 1, loss is that of the batch before the update, spectral_radius is that of the
        recurrent weights after it, at checks, NaN elsewhere and for models without one square
        matrix; with a curriculum stage, from 1, the last is the task itself).
    source : dict or None
        Where imported networks came from.
    path : Path or None
        The run's folder; None while it is in memory only.
    start : str or None
        SHA-256 of the weights that training began with, where they were given to it.
    imports : sequence of dict
        Files of the user's own parts that it was made with in another process: name and sha256.
    rule_report : dict of arrays (net, …)
        What the rule reports at the end, by name, as `Reservoir` the errors of its cross-validation
        (its docstring says which); empty for most rules.
    curriculum : sequence of dict
        The stages before the task, where networks were trained on others first: task (name,
        settings), steps and score of each.
    first : int
        The index of the first network, of a part of a population (`train(nets=range(4, 8))`): what
        networks come from is the seed and their index. In `status` and `history` they are counted
        from 0, as in `networks`.
    """

    task: Task
    model: Model
    networks: Sequence[Network]
    status: list[dict[str, Any]] = ()  # type: ignore[assignment]  # () stands for not given
    rule: Rule | None = None
    seed: int = 0
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LOOP_COLUMNS))
    source: dict[str, Any] | None = None
    path: Path | None = None
    start: str | None = None
    imports: Sequence[dict[str, str]] = ()
    rule_report: dict[str, np.ndarray] = field(default_factory=dict)
    curriculum: Sequence[dict[str, Any]] = ()
    first: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.status, tuple) and not self.status:
            self.status = [_row(net) for net in range(len(self.networks))]

    @classmethod
    @takes(task=as_task)
    def of(cls, networks: Any, task: Task) -> Self:
        """A run of networks that are in memory, to be scored, analysed and reported on a task.

        Parameters
        ----------
        networks : Network or sequence of Network
            Of one model.
        task : Task
            Also its name, or its class.

        Returns
        -------
        Run
            In memory, without a rule and a history.

        Raises
        ------
        InvalidSetting
            For networks of different models, and those that do not fit the task.
        """
        found = networks_of(networks)
        check_fit(found, task)
        model = found[0].model
        for net, network in enumerate(found):
            if network.model != model:
                raise InvalidSetting(
                    f"networks[{net}] is of {network.model!r:.80}, networks[0] of {model!r:.80}; "
                    "the networks of a run are of one model"
                )
        if model.step_length != task.dt:  # of steps without a length: now it is said
            found = [network.with_dt(task.dt) for network in found]
        return cls(task, found[0].model, found)

    @classmethod
    def join(cls, runs: Sequence[Run]) -> Run:
        """One run of parts that were trained apart: `nets=range(0, 4)` and `nets=range(4, 8)`.

        Parameters
        ----------
        runs : sequence of Run
            The parts, in any order. They differ in their indices alone, which follow on each other.

        Returns
        -------
        Run
            In memory; its weights are those of one training of all, bit for bit. The history's
            seconds are those of each part.

        Raises
        ------
        InvalidSetting
            For runs of other settings or seeds, and where indices are missing or there twice.
        """
        return joined([a_run("runs", run) for run in runs])

    def __repr__(self) -> str:
        """One line, and a row a network."""
        rows = self._rows().head(MOST_SHOWN).to_string(index=False)
        left = len(self.status) - MOST_SHOWN
        return f"{self._title()}\n{rows}" + (f"\n… and {left} more" if left > 0 else "")

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return as_html("Run", self._rows(), self._title())

    def _title(self) -> str:
        by = "" if self.rule is None else f" by {type(self.rule).__name__}"
        what = f"{len(self.networks)} x {self.model!r} on {self.task!r}{by}, seed {self.seed}"
        where = "in memory" if self.path is None else str(self.path)
        return f"Run ({where}): {what}"

    def _rows(self) -> pd.DataFrame:
        return pd.DataFrame([{name: row.get(name) for name in SHOWN} for row in self.status])

    @property
    def results(self) -> Results:
        """What was computed on these networks: kept in the run's folder, found again by it."""
        return Results(self, given_functions(self.task, self.model, self.rule))

    @property
    def config(self) -> dict[str, Any]:
        """Everything that was asked, in JSON's terms; two runs with equal configs are the same."""
        return run_config(
            self.task,
            self.model,
            self.rule,
            len(self.networks),
            self.seed,
            self.source,
            self.start,
            self.curriculum,
            self.first,
        )

    def checks(self) -> tuple[Check, ...]:
        """The networks as they were at each check of their training.

        Returns
        -------
        tuple of Check
            (step, networks) of each check, in order. Weights of before the first update are not
            among them.

        Raises
        ------
        InvalidSetting
            Where the weights of checks were not kept: the rule's `keep_checks` was not set, or the
            run has no folder.
        FileProblem
            When a file is missing, damaged or does not fit the others.
        """
        if self.path is None or self.rule is None or not len(self.history):
            raise InvalidSetting(f"run: it has no weights of checks; {KEEPS_THEM}")
        manifest = read_manifest(self.path)
        last = int(self.history["step"].max())
        nets, interval = len(self.networks), self.rule.check_interval
        return kept_checks(self.path, manifest, self.model, nets, interval, last)

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
            own = (NETWORKS, HISTORY, RULE_REPORT)
            self.write(folder, {n: sha for n, sha in kept.items() if n not in own})
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
        if self.rule_report:
            contents[RULE_REPORT] = weights_content(self.rule_report)
        write_run(folder, self.config, self.status, contents, others, self.imports)
        self.path = folder

    def _stacked(self) -> dict[str, np.ndarray]:
        names = self.networks[0].weights
        return {n: np.stack([np.asarray(net.weights[n]) for net in self.networks]) for n in names}


def a_run(name: str, value: Any) -> Run:
    """Refuse what is no run, for arguments that are checked by their names.

    Parameters
    ----------
    name : str
        The argument, as the message names it.
    value : Run
        What was given.

    Returns
    -------
    Run
        The same.

    Raises
    ------
    InvalidSetting
        For anything else.
    """
    if not isinstance(value, Run):
        hint = "at.Run.of(networks, task) makes one"
        raise InvalidSetting(refusal(name, value, "a Run", hint))
    return value
