"""Attractory: train populations of recurrent neural networks on neuroscience tasks, and open them.

The public names are loaded when they are first used, so that importing the package is quick and
pulls in neither plotting nor another framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attractory import (
        analysis,
        evaluation,
        exchange,
        figures,
        models,
        population,
        report,
        reproduce,
        rules,
        runs,
        sweeps,
        tasks,
        training,
    )
    from attractory._cores import use_cores
    from attractory._errors import AttractoryError, FileProblem, InvalidSetting
    from attractory.evaluation import evaluate, robustness
    from attractory.exchange import (
        from_torch,
        load_keras,
        load_psychrnn,
        to_keras,
        to_onnx,
        to_torch,
    )
    from attractory.runs import Run, load
    from attractory.sweeps import open_sweep, open_tuning, sweep, tune
    from attractory.training import recipe, train

from attractory._version import __version__ as __version__

_folders = (
    "analysis",
    "evaluation",
    "exchange",
    "figures",
    "models",
    "population",
    "report",
    "reproduce",
    "rules",
    "runs",
    "sweeps",
    "tasks",
    "training",
)
_homes = {
    "AttractoryError": "_errors",
    "FileProblem": "_errors",
    "InvalidSetting": "_errors",
    "Run": "runs",
    "evaluate": "evaluation",
    "from_torch": "exchange",
    "load": "runs",
    "load_keras": "exchange",
    "load_psychrnn": "exchange",
    "open_sweep": "sweeps",
    "open_tuning": "sweeps",
    "recipe": "training",
    "robustness": "evaluation",
    "sweep": "sweeps",
    "to_keras": "exchange",
    "to_onnx": "exchange",
    "to_torch": "exchange",
    "train": "training",
    "tune": "sweeps",
    "use_cores": "_cores",
}

__all__ = [
    "AttractoryError",
    "FileProblem",
    "InvalidSetting",
    "Run",
    "analysis",
    "evaluate",
    "evaluation",
    "exchange",
    "figures",
    "from_torch",
    "load",
    "load_keras",
    "load_psychrnn",
    "models",
    "open_sweep",
    "open_tuning",
    "population",
    "recipe",
    "report",
    "reproduce",
    "robustness",
    "rules",
    "runs",
    "sweep",
    "sweeps",
    "tasks",
    "to_keras",
    "to_onnx",
    "to_torch",
    "train",
    "training",
    "tune",
    "use_cores",
]


def __getattr__(name: str) -> Any:
    if name in _folders:
        return importlib.import_module(f"attractory.{name}")
    if name in _homes:
        return getattr(importlib.import_module(f"attractory.{_homes[name]}"), name)
    if name.startswith("__"):  # what Python itself asks a module for
        raise AttributeError(f"module 'attractory' has no attribute {name!r}")
    from attractory._errors import UnknownName, nearest, shown

    raise UnknownName(f"attractory has no {shown(name)}; {nearest(name, __all__)}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
