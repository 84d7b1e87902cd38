"""Optuna, as tunings use it: its samplers and pruners by name, and where its studies are kept."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, StrictStr

from attractory._errors import FileProblem, InvalidSetting, nearest, one_line, shown
from attractory._settings import Settings
from attractory.sweeps._work import Pruned

SAMPLERS = {
    "tpe": "TPESampler",
    "random": "RandomSampler",
    "cmaes": "CmaEsSampler",
    "gp": "GPSampler",
    "nsga2": "NSGAIISampler",
    "nsga3": "NSGAIIISampler",
    "qmc": "QMCSampler",
}
PRUNERS = {
    "median": "MedianPruner",
    "percentile": "PercentilePruner",
    "halving": "SuccessiveHalvingPruner",
    "hyperband": "HyperbandPruner",
    "threshold": "ThresholdPruner",
}
# packages that Optuna asks for at the first trial only
NEEDED = {"cmaes": "cmaes", "gp": "torch"}
DATABASE, JOURNAL = "tuning.db", "tuning.journal"


def optuna() -> Any:
    """Optuna; InvalidSetting where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise InvalidSetting(
            "tuning needs Optuna: pip install 'attractory[sweeps]' installs it"
        ) from None
    return optuna


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna's own lines are left out meanwhile: what happens is told in ours."""
    logger = logging.getLogger("optuna")
    before = logger.level
    optuna()  # which sets the level when it is imported
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def importances(study: Any, place: int, direction: str) -> dict[str, float]:
    """By field, the most important first, for the objective at a place among several."""
    # the evaluator takes low numbers for the better ones, and warns of that each time
    sign = -1.0 if direction == "maximize" else 1.0
    evaluator = optuna().importance.PedAnovaImportanceEvaluator()
    with quiet(), warnings.catch_warnings(action="ignore"):
        found = optuna().importance.get_param_importances(
            study, evaluator=evaluator, target=lambda trial: sign * trial.values[place]
        )
    return {str(field): float(share) for field, share in found.items()}


class Named(Settings):
    """A sampler or a pruner by its name, with settings of Optuna's class."""

    name: StrictStr
    settings: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, names: dict[str, str]) -> Callable[[Any], Any]:
        """What makes one of a name, or of a name and settings; None stays."""

        def meant(value: Any) -> Any:
            if value is None or isinstance(value, Named):
                return value
            given = {"name": value} if isinstance(value, str) else dict(value)
            name = given.pop("name", None)
            if name not in names:
                raise ValueError(nearest(str(name), names))
            return cls(name=name, settings=given)

        return meant

    def sampler(self, seed: int) -> Any:
        """Optuna's sampler; InvalidSetting where it does not take the settings."""
        return self._made(optuna().samplers, SAMPLERS, {"seed": seed})

    def pruner(self) -> Any:
        """Optuna's pruner; InvalidSetting where it does not take the settings."""
        return self._made(optuna().pruners, PRUNERS, {})

    def _made(self, module: Any, names: dict[str, str], more: dict[str, Any]) -> Any:
        package = NEEDED.get(self.name)
        if package is not None and find_spec(package) is None:
            raise InvalidSetting(f"{self.name} needs a package: pip install {package} installs it")
        try:
            return getattr(module, names[self.name])(**{**more, **self.settings})
        except (TypeError, ValueError, ImportError) as error:
            what = f"{self.name}: {shown(self.settings, 60)} is not allowed"
            raise InvalidSetting(one_line(f"{what}: {error}")) from None


class Pruning:
    """Tells Optuna the validation losses of a trial; ends it where the pruner says so.

    Optuna takes all values of a trial to be better in the direction of its objective, so that
    losses change their sign where the objective is maximised.
    """

    def __init__(self, trial: Any, direction: str) -> None:
        self.trial = trial
        self.sign = -1.0 if direction == "maximize" else 1.0

    def __call__(self, step: int, losses: np.ndarray) -> None:
        """losses (net,); Pruned where the trial ends here."""
        mean = float(np.mean(losses))
        if not np.isfinite(mean):  # of networks that have ended: no mean to compare
            return
        with quiet():
            self.trial.report(self.sign * mean, step)
            if self.trial.should_prune():
                raise Pruned


def storage_at(folder: Path, storage: str) -> Any:
    """Optuna's storage; FileProblem where it cannot be had."""
    storages = optuna().storages
    try:
        if storage == "journal":
            file = storages.journal.JournalFileBackend(str(folder.absolute() / JOURNAL))
            return storages.JournalStorage(file)
        address = f"sqlite:///{folder.absolute() / DATABASE}" if storage == "sqlite" else storage
        return storages.RDBStorage(address)
    except ImportError as error:  # of a database's own driver
        raise InvalidSetting(f"storage: {one_line(str(error))}") from None
    except Exception as error:  # whatever the database's driver raises
        place = folder if storage in ("sqlite", "journal") else "storage"
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileProblem(f"{place}: the trials cannot be read or written: {first}") from None
