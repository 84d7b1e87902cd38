"""The arrays and functions that a caller made task, model and rule of a run with."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory._settings import Settings

KINDS = ("task", "model", "rule")  # what describes a run


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
    for name, value in (settings.model_extra or {}).items():  # of a task or rule not known here
        _collect_plain(f"{where}.{name}", value, found)
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        parts = value if isinstance(value, tuple) else (value,)
        for i, part in enumerate(parts):
            place = f"{where}.{name}" if part is value else f"{where}.{name}.{i}.settings"
            if isinstance(part, Settings):
                _collect(place, part, found)
            elif hasattr(part, "__array__") and not isinstance(part, np.generic):
                found[place] = np.asarray(part)


def _collect_plain(place: str, value: Any, found: dict[str, np.ndarray]) -> None:
    """Arrays in JSON's lists and dictionaries into `found`."""
    if isinstance(value, (dict, list)):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            _collect_plain(f"{place}.{name}", each, found)
    elif isinstance(value, np.ndarray):
        found[place] = value
