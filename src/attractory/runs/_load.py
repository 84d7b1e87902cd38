"""A run from its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import takes
from attractory._errors import FileProblem
from attractory._files import as_path
from attractory.models import Network
from attractory.runs._described import Given, described
from attractory.runs._folder import (
    HISTORY,
    MANIFEST,
    NETWORKS,
    RULE_REPORT,
    parsed_weights,
    read_file,
    read_manifest,
)
from attractory.runs._history import read_history
from attractory.runs._run import Run
from attractory.runs._weights import checked_weights
from attractory.tasks import sized

MOST_READINGS = 3  # of a run that another process writes anew while it is read


@takes()
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
        The run that was saved. Where its task is not known in this process, an `UnknownTask` stands
        for it, and for its rule an `UnknownRule`: what does not need them works.

    Raises
    ------
    FileProblem
        When a file is missing, damaged or does not fit the others.
    InvalidSetting
        When a function is missing, or the model is not known.

    Notes
    -----
    Nothing in the folder is run: parts of your own are known once what registers them is imported.
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
    imports = manifest.get("imports", [])
    made = described(folder / MANIFEST, config, imports, Given(given, functions))
    task, model, rule = made
    checked_weights(place, model, weights, len(rows))
    networks = [Network(model, {n: w[i] for n, w in weights.items()}) for i in range(len(rows))]
    task = sized(task, networks[0].n_inputs, networks[0].n_outputs)
    history = read_history(folder / HISTORY, read_file(folder, manifest, HISTORY))
    seed, source = config["seed"], config["source"]
    start = config.get("start")
    report = _read_report(folder, manifest, len(rows))
    stages, first = config.get("curriculum", ()), config.get("first", 0)
    known = (source, folder, start, imports, report, stages, first)
    return Run(task, model, networks, rows, rule, seed, history, *known)


def _read_report(folder: Path, manifest: dict[str, Any], nets: int) -> dict[str, np.ndarray]:
    """What the rule reported at the end; {} where it reported nothing."""
    if RULE_REPORT not in manifest.get("files", {}):
        return {}
    place = folder / RULE_REPORT
    report = parsed_weights(read_file(folder, manifest, RULE_REPORT), str(place))[0]
    for name, array in report.items():
        if array.shape[:1] != (nets,):
            raise FileProblem(f"{place}: damaged: {name!r} is not of {nets} networks")
    return report
