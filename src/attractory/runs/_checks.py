"""The networks as they were at the checks of their training, where these were kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attractory._errors import InvalidSetting
from attractory.models import Model, Network
from attractory.runs._folder import parsed_weights, read_file
from attractory.runs._weights import checked_weights

_WEIGHTS = re.compile(r"checkpoints/weights-(\d+)\.safetensors")

KEEPS_THEM = (
    "a run trained into a folder with keep_checks=True of its rule keeps them "
    "(attractory train --set rule.keep_checks=true)"
)


class Check(NamedTuple):
    """All networks of a run at one check.

    Parameters
    ----------
    step : int
        The update after which it was, counted from 1.
    networks : tuple of Network
        The networks as they were then; one whose training had stopped is as it was when it stopped.
    """

    step: int
    networks: tuple[Network, ...]


def kept_checks(
    folder: Path, manifest: dict[str, Any], model: Model, nets: int, interval: int, last: int
) -> tuple[Check, ...]:
    """The checks whose weights a run's folder has, in order; InvalidSetting where there are none.

    interval: updates between two checks. last: the update at which training ended.
    """
    numbered = {}
    for name in manifest.get("files") or {}:
        found = _WEIGHTS.fullmatch(name)
        if found:
            numbered[int(found[1])] = name
    if not numbered:
        raise InvalidSetting(
            f"{folder}: no weights of checks are in this run's folder; {KEEPS_THEM}"
        )
    checks = []
    for number, name in sorted(numbered.items()):
        stacked, _ = parsed_weights(read_file(folder, manifest, name), str(folder / name))
        checked_weights(folder / name, model, stacked, nets)
        checks.append(Check(min(number * interval, last), _networks(model, stacked, nets)))
    return tuple(checks)


def _networks(model: Model, stacked: dict[str, np.ndarray], nets: int) -> tuple[Network, ...]:
    return tuple(
        Network(model, {name: array[net] for name, array in stacked.items()}) for net in range(nets)
    )
