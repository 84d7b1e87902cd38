"""Optuna, as tunings use it: its samplers and pruners by name, and where its studies are kept."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, StrictStr

from attractory._errors import FileProblem, InvalidSetting, nearest, one_line, shown
from attractory._settings import Settings
from attractory.sweeps._work import Pruned, Unreachable

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
SECONDS_FOR_AN_ANSWER = 6  # of a database; whoever waits is told within ten


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
    losses change their sign where the objective is maximised. The trial is pickled apart: to
    unpickle it connects to the storage, which is done when there is something to tell.
    """

    def __init__(self, trial: Any, direction: str) -> None:
        import cloudpickle

        self._content = cloudpickle.dumps(trial)
        self._sign = -1.0 if direction == "maximize" else 1.0

    def __call__(self, step: int, losses: np.ndarray) -> None:
        """losses (net,); Pruned where the trial ends here, Unreachable where nobody can say."""
        mean = float(np.mean(losses))
        if not np.isfinite(mean):  # of networks that have ended: no mean to compare
            return
        errors: tuple[type[Exception], ...] = (*storage_errors(), OSError)
        with quiet():
            try:
                self._trial.report(self._sign * mean, step)
                ends = self._trial.should_prune()
            except errors as error:
                why = f"a worker cannot tell how a trial goes on: {reason(error)}"
                raise Unreachable(f"{why}; the same command goes on once it can") from None
        if ends:
            raise Pruned

    @cached_property
    def _trial(self) -> Any:
        import cloudpickle

        return cloudpickle.loads(self._content)


def storage_errors() -> tuple[type[Exception], ...]:
    """What is raised where trials cannot be read or written, beside OSError."""
    from sqlalchemy.exc import SQLAlchemyError

    return optuna().exceptions.StorageInternalError, SQLAlchemyError


def reason(error: BaseException) -> str:
    """What a database has said, in one line; Optuna's own words are the same for every reason."""
    cause = error.__cause__ or error
    said = str(cause).strip() or type(cause).__name__
    return said.splitlines()[0]


@contextmanager
def reaching(place: Path) -> Iterator[None]:
    """Where the trials cannot be read or written meanwhile, FileProblem in one line."""
    try:
        yield
    except storage_errors() as error:
        raise FileProblem(
            f"{place}: the trials cannot be read or written: {reason(error)}; the same command "
            "goes on once they can"
        ) from None


def as_it_stands(study: Any) -> Any:
    """A study of Optuna's in memory: what is told of one moment is told of all its trials."""
    with quiet():
        copied = optuna().create_study(directions=study.directions)
        copied.add_trials(study.get_trials(deepcopy=False))
    return copied


def storage_at(folder: Path, storage: str) -> Any:
    """Optuna's storage; FileProblem where it cannot be had."""
    storages = optuna().storages
    from sqlalchemy.pool import NullPool

    try:
        if storage == "journal":
            file = storages.journal.JournalFileBackend(str(folder.absolute() / JOURNAL))
            return storages.JournalStorage(file)
        address = f"sqlite:///{folder.absolute() / DATABASE}" if storage == "sqlite" else storage
        # connections that are kept would be cut off when the server is restarted, and those of
        # many workers are more than it has
        return storages.RDBStorage(_patient(address), {"poolclass": NullPool})
    except ImportError as error:
        raise InvalidSetting(f"storage: {_missing_driver(error)}") from None
    except Exception as error:  # whatever the database's driver raises
        place = folder if storage in ("sqlite", "journal") else "storage"
        what = f"{place}: the trials cannot be read or written"
        raise FileProblem(f"{what}: {reason(error)}") from None


def _patient(address: str) -> str:
    """The address of a database, with a limit to waiting for one that does not answer."""
    from sqlalchemy.engine import make_url

    url = make_url(address)
    if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(SECONDS_FOR_AN_ANSWER)})
    return url.render_as_string(hide_password=False)


def _missing_driver(error: ImportError) -> str:
    """Which package a database needs."""
    missing = getattr(error.__cause__, "name", None)
    if missing == "psycopg":
        return "PostgreSQL needs psycopg: pip install 'attractory[postgresql]' installs it"
    return f"the driver of this database is missing: there is no module {missing!r}"
