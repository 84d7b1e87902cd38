"""The study of a tuning: what is tried, what is optimised, and how trials are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictInt, StrictStr, field_validator, model_validator

from attractory._errors import AttractoryError, InvalidSetting, nearest, shown
from attractory._settings import Settings, as_json
from attractory.population import find_measure, measure_names
from attractory.runs import run_config
from attractory.sweeps._common import OF_A_POINT, Common, Scoring
from attractory.sweeps._optuna import PRUNERS, SAMPLERS, Named
from attractory.sweeps._study import Point, Study, in_words
from attractory.sweeps._vary import Span, Values

# which way is better, of what every run has; of a measure no one can know
DIRECTIONS = {
    "correct": "maximize",
    "accuracy": "maximize",
    "mse": "minimize",
    "distance": "minimize",
    "validation_loss": "minimize",
}
TUNED = ("model", "rule")
PLAIN = (str, int, float, bool, type(None))  # what a categorical value can be, as Optuna has it


class Objective(Settings):
    """What is optimised: the mean over the networks of a trial.

    Parameters
    ----------
    name : str
        A score ("correct", "accuracy", "mse", "distance"), "validation_loss", or a measure of
        `at.population.measure`.
    direction : str, optional
        "maximize" or "minimize". None: as the score has it; of a measure it must be said.

    Raises
    ------
    InvalidSetting
        For an unknown name, and for a measure without a direction.
    """

    name: StrictStr
    direction: Literal["maximize", "minimize"] | None = None

    by_position = ("name",)

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        known = list(dict.fromkeys([*DIRECTIONS, *measure_names()]))
        if name.partition("@")[0] not in known:
            raise ValueError(f"a score or a measure; {nearest(name, known)}")
        return name

    @model_validator(mode="after")
    def _with_a_direction(self) -> Objective:
        if self.direction is None and self.is_measure:
            larger = find_measure(self.name.partition("@")[0]).larger
            raise ValueError(
                f"direction is missing; allowed: maximize, minimize (a larger {self.name} means: "
                f"{larger})"
            )
        return self

    @property
    def is_measure(self) -> bool:
        """Whether it is a measure, not a score."""
        return self.name not in DIRECTIONS

    @property
    def towards(self) -> str:
        """The direction, the score's own where none is said."""
        return self.direction or DIRECTIONS[self.name]


def _several(value: Any) -> Any:
    """Objectives: one by its name or its settings, or a list of such."""
    listed = value if isinstance(value, (list, tuple)) else [value]
    return tuple(Objective(name=each) if isinstance(each, str) else each for each in listed)


class TuningStudy(Common):
    """What is tuned, towards what, and how.

    Parameters
    ----------
    task : Task, str or dict
        What the networks learn.
    model, rule : Model or Rule, str or dict, optional
        What the networks are, and how they learn, where it is not tuned.
    nets : int
        Number of networks of each trial; an objective is their mean.
    seed : int
        What all random numbers of a trial follow from, the same for all trials.
    tune : dict
        For each field of the model or the rule, as "rule.learning_rate", a `Span` (or its settings:
        low, high, log; whole numbers where both ends are), or a list of words or numbers.
    objective : str, Objective, or a list of them
        What is optimised; of several the Pareto front is found.
    trials : int
        Their number in all; the same study with more of them goes on.
    sampler : str or dict
        "tpe", "random", "cmaes", "gp", "nsga2", "nsga3" or "qmc", and settings of Optuna's class.
    pruner : str or dict, optional
        "median", "percentile", "halving", "hyperband" or "threshold", and settings of Optuna's
        class: which trials end early, by their validation losses. None: no trial does.
    retrain : int
        Seeds, beyond the study's own, with which the best trial is trained again.
    scoring : Scoring or dict
        Validation trials by which trials are compared. The best are scored anew on as many trials
        of the next seed, which no choice has seen.
    storage : str
        "sqlite" or "journal": a file in the folder; or the address of a database, as
        "postgresql://host/name".
    imports : list of str
        Python files and modules with parts of your own.
    cluster : Cluster or dict, optional
        Where the workers are; None: trials run one after another in this process.

    Raises
    ------
    InvalidSetting
        For settings that are none, and for a field that cannot be tuned.
    """

    of_another = ("vary", "has `vary`: it is one for `attractory sweep`")

    tune: dict[str, Any]
    objective: Annotated[tuple[Objective, ...], BeforeValidator(_several)] = Field(min_length=1)
    trials: StrictInt = Field(default=50, ge=1)
    sampler: Annotated[Named, BeforeValidator(Named.of(SAMPLERS))] = Named(name="tpe")
    pruner: Annotated[Named, BeforeValidator(Named.of(PRUNERS))] | None = None
    retrain: StrictInt = Field(default=3, ge=0)
    storage: StrictStr = "sqlite"

    @field_validator("tune")
    @classmethod
    def _spans_or_choices(cls, tune: Values) -> Values:
        if not tune:
            raise ValueError("nothing is tuned: a field or more")
        return {field: _span_or_choices(field, value) for field, value in tune.items()}

    @field_validator("storage")
    @classmethod
    def _a_known_storage(cls, storage: str) -> str:
        if storage not in ("sqlite", "journal") and "://" not in storage:
            raise ValueError("sqlite, journal, or an address such as postgresql://host/name")
        return storage

    @model_validator(mode="after")
    def _that_goes_together(self) -> TuningStudy:
        names = [each.name for each in self.objective]
        if len(set(names)) < len(names):
            raise ValueError("objective: one is given twice")
        if self.pruner is not None and len(names) > 1:
            raise ValueError("pruner: trials of several objectives cannot end early; allowed: none")
        if self.scoring.trials == 0:
            raise ValueError("scoring.trials = 0: trials are compared by validation trials")
        return self

    def point(self, values: Values, seed: int | None = None) -> Point:
        """The training with these values.

        Parameters
        ----------
        values : dict
            Values of the tuned fields.
        seed : int, optional
            Another seed than the study's.

        Returns
        -------
        Point
            What `at.train` takes.

        Raises
        ------
        InvalidSetting
            For an unknown field, naming the nearest one, and for what cannot be trained.
        """
        common = {name: getattr(self, name) for name in OF_A_POINT}
        if seed is not None:
            common["seed"] = seed
        return Study(**common, vary={"list": [values]}).point(values)

    def ends(self) -> list[Values]:
        """Values at either end of all fields.

        Returns
        -------
        list of dict
            The low ones and the high ones.
        """
        return [{field: _ends(value)[end] for field, value in self.tune.items()} for end in (0, 1)]

    def check(self) -> None:
        """Make a point at either end of all fields, so that mistakes are told before trials are.

        Raises
        ------
        InvalidSetting
            For what cannot be trained: the values, and why; for a pruner without validation; for
            settings that a sampler or a pruner does not take.
        """
        self.sampler.sampler(self.seed)
        if self.pruner is not None:
            self.pruner.pruner()
        for values in self.ends():
            try:
                point = self.point(values)
            except AttractoryError as error:
                raise InvalidSetting(f"tune ({in_words(values)}): {error}") from None
            wanted = self.pruner or "validation_loss" in [each.name for each in self.objective]
            if wanted and point.rule.validation == 0:
                raise InvalidSetting(
                    "rule.validation = 0 is not allowed with a pruner or validation_loss as the "
                    "objective: both need validation trials"
                )

    @cached_property
    def described(self) -> dict[str, Any]:
        """What must be the same for trials to be comparable, as JSON has it."""
        point = self.point(self.ends()[0])
        config = run_config(point.task, point.model, point.rule, point.nets, point.seed)
        objective = {each.name: each.towards for each in self.objective}
        scoring = as_json(self.scoring)
        same = {"objective": objective, "tune": as_json(self.tune), "scoring": scoring}
        of_runs = {name: as_json(config[name]) for name in OF_A_POINT}
        return {**same, **of_runs}

    @property
    def scored(self) -> Scoring:
        """How each trial is scored: with the measures among the objectives."""
        wanted = [each.name for each in self.objective if each.is_measure]
        measures = tuple(dict.fromkeys([*self.scoring.measures, *wanted]))
        return self.scoring.replace(measures=measures)


def _span_or_choices(field: str, value: Any) -> Span | list[Any]:
    part, _, rest = field.partition(".")
    if part not in TUNED:
        allowed = ["model", "rule", "model.SETTING", "rule.SETTING"]
        raise ValueError(f"unknown field {shown(field)}; {nearest(field, allowed)}")
    if isinstance(value, (Mapping, Span)):
        if not rest:
            raise ValueError(f"{field} = {shown(value, 40)}: a list of names")
        return value if isinstance(value, Span) else Span(**value)
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(f"{field} = {shown(value, 40)}: low and high, or a list of values")
    for each in value:
        if not isinstance(each, PLAIN):
            raise ValueError(f"{field}: {shown(each, 40)} in its list; allowed: words and numbers")
    return list(value)


def _ends(value: Span | list[Any]) -> tuple[Any, Any]:
    """The two ends of a span; the first and the last value of a list."""
    return (value.low, value.high) if isinstance(value, Span) else (value[0], value[-1])
