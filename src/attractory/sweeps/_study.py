"""A study: the trainings that belong together, said once, each checked before any is begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import Field, StrictInt

from attractory._errors import AttractoryError, InvalidSetting, nearest, shown, whole_number
from attractory._files import json_digest
from attractory._settings import Settings, as_json
from attractory.models import Model
from attractory.rules import Rule
from attractory.runs import run_config
from attractory.sweeps._common import OF_A_POINT, Common
from attractory.sweeps._vary import Values, Vary
from attractory.tasks import Task, check_seed
from attractory.training import Section, as_section, checked_arguments, named_parts, put


@dataclass(frozen=True)
class Point:
    """One training of a study: a normal run.

    Attributes
    ----------
    values : dict
        What varies, by fields.
    task : Task
        What the networks learn.
    model : Model
        What they are.
    rule : Rule
        How they learn.
    nets : int
        Number of networks.
    seed : int
        What all random numbers follow from.
    """

    values: Values
    task: Task
    model: Model
    rule: Rule
    nets: int
    seed: int

    @cached_property
    def identity(self) -> str:
        """SHA-256 of what identifies its run."""
        config = run_config(self.task, self.model, self.rule, self.nets, self.seed)
        return json_digest(as_json(config))

    def values_in_words(self) -> dict[str, Any]:
        """What varies as JSON has it.

        Returns
        -------
        dict
            Numbers, words and lists of them by fields; all else in words.
        """
        return {field: plain(value) for field, value in self.values.items()}


class Study(Common):
    """Trainings that belong together: what they have in common, and what varies.

    Parameters
    ----------
    task : Task, str or dict
        What the networks learn: a task, its name, or a name with settings.
    model, rule : Model or Rule, str or dict, optional
        What the networks are, and how they learn; what is not said is the task's recipe.
    nets : int
        Number of networks of each run.
    seed : int
        What all random numbers of a run follow from.
    vary : Vary or dict
        The fields that vary, by names such as "rule.learning_rate", "model.units", "task.noise" or
        "seed"; "task", "model" and "rule" as a whole: by names, or made already. A part that varies
        as a whole has nothing of the study's own settings for it.
    split : int, optional
        Networks that are trained at once at the most; a run of more is trained in parts, by several
        workers, and joined. None: all together.
    scoring : Scoring or dict
        How networks are scored once they are trained.
    imports : list of str
        Python files and modules with parts of your own, which workers run first.
    cluster : Cluster or dict, optional
        Where the workers are; None: on this machine.

    Raises
    ------
    InvalidSetting
        For settings that are none, an empty grid, and a field that no point can have.

    Examples
    --------
    ::

        study = at.sweeps.Study(
            task="flipflop",
            nets=4,
            vary={"grid": {"rule.learning_rate": [1e-3, 3e-3], "seed": range(5)}},
        )
    """

    of_another = ("objective", "has an objective: it is one for `attractory tune`, not a sweep")

    vary: Vary
    split: StrictInt | None = Field(default=None, ge=1)

    def points(self) -> list[Point]:
        """All trainings, made and checked; those that are the same are there once.

        Returns
        -------
        list of Point
            In the order of `Vary.points`.

        Raises
        ------
        InvalidSetting
            Where a point cannot be trained: which one, its values, and why.
        """
        found: dict[str, Point] = {}
        maker = _Maker(self)
        for number, values in enumerate(self.vary.points()):
            try:
                point = maker.point(values)
            except AttractoryError as error:
                raise InvalidSetting(f"point {number} ({in_words(values)}): {error}") from None
            found.setdefault(point.identity, point)
        return list(found.values())

    def point(self, values: Values) -> Point:
        """The training with these values in the study, made and checked.

        Parameters
        ----------
        values : dict
            Values by fields, as "rule.learning_rate".

        Returns
        -------
        Point
            What `at.train` takes.

        Raises
        ------
        InvalidSetting
            For an unknown field, naming the nearest one, and for what cannot be trained.
        """
        return _Maker(self).point(values)

    def parts_of(self, point: Point) -> Iterator[range]:
        """The networks of a point that are trained at once.

        Parameters
        ----------
        point : Point
            A training.

        Yields
        ------
        range
            Indices of networks.
        """
        size = self.split or point.nets
        for first in range(0, point.nets, size):
            yield range(first, min(first + size, point.nets))


class _Maker:
    """Makes the points of a study; what several of them share is made and checked once."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._tasks: dict[Any, Task] = {}
        self._trainings: dict[Any, tuple[Task, Model, Rule]] = {}

    def point(self, values: Values) -> Point:
        """As `Study.point`."""
        parts: dict[str, Any] = {name: getattr(self.study, name) for name in OF_A_POINT}
        # a part as a whole comes before settings in it
        for field in sorted(values, key=lambda name: name.count(".")):
            _check_field(field)
            put(parts, field, values[field])
        nets, seed = whole_number("nets", parts["nets"]), parts["seed"]
        check_seed(seed)
        key = (nets, *_key(values, ("task", "model", "rule")))
        if key not in self._trainings:
            self._trainings[key] = self._training(values, parts, nets, seed)
        return Point(values, *self._trainings[key], nets, int(seed))

    def _training(
        self, values: Values, parts: dict[str, Any], nets: int, seed: int
    ) -> tuple[Task, Model, Rule]:
        key = _key(values, ("task",))
        task, model, rule = (_made(parts[name]) for name in ("task", "model", "rule"))
        # of equal tasks one: what its trials look like is found out once
        task, model, rule = named_parts(self._tasks.get(key, task), model, rule)
        self._tasks[key] = task
        model, rule, *_ = checked_arguments(task, model, rule, nets, seed)
        return task, model, rule


def _key(values: Values, parts: tuple[str, ...]) -> tuple[Any, ...]:
    """What tells these parts of a point from those of the study's other points."""
    of_parts = sorted(field for field in values if field.partition(".")[0] in parts)
    return tuple((field, _told_apart(values[field])) for field in of_parts)


def _told_apart(value: Any) -> Any:
    """The value itself where equal ones are the same; else the object, which the study keeps."""
    plain = value is None or isinstance(value, (bool, int, float, str, Settings))
    return (type(value), value) if plain else id(value)


def in_words(values: Values) -> str:
    """The values of a point in a few words."""
    return ", ".join(f"{field} = {shown(value, 40)}" for field, value in values.items())


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers, words, lists of them; all else in words."""
    if isinstance(value, Settings):
        return repr(value)
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return repr(as_json(value))


def _made(value: Any) -> Any:
    """A part that is made already as it is; a name, or keys and values, as a section."""
    if isinstance(value, Settings):
        return value
    try:
        return Section(**as_section(value))
    except ValueError as error:
        raise InvalidSetting(f"{shown(value, 40)} is not allowed: {error}") from None


def _check_field(field: str) -> None:
    first, *rest = field.split(".")
    if first not in OF_A_POINT or (rest and first in ("nets", "seed")) or "" in rest:
        allowed = [*OF_A_POINT, "task.SETTING", "model.SETTING", "rule.SETTING"]
        raise InvalidSetting(f"unknown field {shown(field)}; {nearest(field, allowed)}")
