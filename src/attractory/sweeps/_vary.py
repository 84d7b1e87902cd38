"""What varies in a study: grids, lists, random draws, and fields that others bring with them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import ConfigDict, Field, StrictBool, StrictInt, field_validator, model_validator

from attractory._errors import InvalidSetting, shown
from attractory._settings import Settings

Values = dict[str, Any]  # values by fields, as "rule.learning_rate"
MOST_POINTS = 1_000_000  # of a study; a grid of a few fields more than meant has far more


class Span(Settings):
    """Numbers between two ends, both included, from which values are drawn at random.

    Parameters
    ----------
    low, high : float
        The ends. Where both are whole numbers, so are the values.
    log : bool
        Whether equal ratios are equally likely, not equal differences.

    Raises
    ------
    InvalidSetting
        Where low is not below high, and for a logarithm of what is not above 0.
    """

    low: int | float
    high: int | float
    log: StrictBool = False

    by_position = ("low", "high")

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low = {self.low} is not allowed with log: a number above 0")
        return self

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, generator: np.random.Generator) -> int | float:
        """A value.

        Parameters
        ----------
        generator : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        int or float
            From low to high.
        """
        # a whole number has the room from half below it to half above it, the ends too
        room = 0.5 if self.whole else 0.0
        low, high = self.low - room, self.high + room
        if self.log:
            value = math.exp(generator.uniform(math.log(low), math.log(high)))
        else:
            value = generator.uniform(low, high)
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value


class Draws(Settings):
    """Points whose fields are drawn at random, independently of each other.

    Parameters
    ----------
    points : int
        Their number.
    seed : int
        What the values follow from.
    fields : dict
        For each field a `Span` (or its settings), or a list of values that are equally likely.

    Raises
    ------
    InvalidSetting
        Where there are no fields, or no values for one of them.
    """

    points: StrictInt = Field(ge=1)
    seed: StrictInt = Field(default=0, ge=0)
    fields: dict[str, Any]

    @field_validator("fields")
    @classmethod
    def _spans_or_lists(cls, fields: Values) -> Values:
        if not fields:
            raise ValueError("a field or more")
        return {name: _span_or_list(name, value) for name, value in fields.items()}

    def each(self) -> Iterator[Values]:
        """The points.

        Yields
        ------
        dict
            Values by fields.
        """
        generator = np.random.default_rng(self.seed)
        for _ in range(self.points):
            yield {name: _drawn(value, generator) for name, value in self.fields.items()}


class Vary(Settings):
    """Which fields of a study vary, and how; ways that are given together are crossed.

    Parameters
    ----------
    grid : dict of lists
        Values by fields: every combination is a point. {"low": 0, "high": 9} stands for all whole
        numbers from 0 to 9.
    listed : list of dicts
        Given as `list`: values by fields, one point each.
    random : Draws, optional
        Points that are drawn at random.
    when : list of When
        What varies besides at the points that have certain values.

    Raises
    ------
    InvalidSetting
        For a grid without values, for fields that vary in two ways, and where nothing varies.

    Examples
    --------
    ::

        Vary(
            grid={"rule": ["bptt", "force"], "seed": [0, 1, 2]},
            when=[When(has={"rule": "bptt"}, grid={"rule.learning_rate": [1e-3, 3e-3]})],
        )
    """

    grid: dict[str, Any] = Field(default_factory=dict)
    listed: Any = Field(default=(), alias="list")
    random: Draws | None = None
    when: tuple[When, ...] = ()

    @field_validator("grid")
    @classmethod
    def _lists_with_values(cls, grid: Values) -> Values:
        return {
            name: _all_between(name, values)
            if isinstance(values, (Mapping, Span))
            else _values_of(name, values)
            for name, values in grid.items()
        }

    @field_validator("listed")
    @classmethod
    def _points_with_values(cls, points: Any) -> Any:
        if not isinstance(points, (list, tuple)) or not all(
            isinstance(point, Mapping) and point for point in points
        ):
            raise ValueError("points, each with values by fields")
        return tuple({name: _plain(value) for name, value in each.items()} for each in points)

    @model_validator(mode="after")
    def _each_field_once(self) -> Vary:
        ways = [set(self.grid), {name for point in self.listed for name in point}]
        ways.append(set(self.random.fields) if self.random else set())
        if not any(ways):
            raise ValueError("nothing varies: a field or more are needed in grid, list or random")
        for one, other in itertools.combinations(ways, 2):
            if one & other:
                raise ValueError(f"{min(one & other)} varies in two ways; allowed: one")
        return self

    def points(self) -> list[Values]:
        """All points, in the order of the fields: the last one of the grid changes fastest.

        Returns
        -------
        list of dict
            Values by fields.

        Raises
        ------
        InvalidSetting
            For more than a million.
        """
        made = _crossed(self._ways())
        for when in self.when:
            made = [each for point in made for each in when.applied(point)]
        return made

    def _ways(self) -> Iterator[list[Values]]:
        yield [dict(point) for point in self.listed] or [{}]
        yield [{}] if self.random is None else list(self.random.each())
        for name, values in self.grid.items():
            yield [{name: value} for value in values]


class When(Vary):
    """What varies besides at the points that have certain values; the others stay as they are.

    Parameters
    ----------
    has : dict
        The values that a point must have, by fields; a list names several that will do.
    grid, listed, random, when : see `Vary`
        What varies there.

    Raises
    ------
    InvalidSetting
        As `Vary`.
    """

    model_config = ConfigDict(extra="forbid")

    has: dict[str, Any]

    def applied(self, point: Values) -> list[Values]:
        """The points that come of one.

        Parameters
        ----------
        point : dict
            Values by fields.

        Returns
        -------
        list of dict
            The point alone where it does not have the values.

        Raises
        ------
        InvalidSetting
            Where a field varies already.
        """
        unknown = [name for name in self.has if name not in point]
        if unknown or not all(_is_one_of(point[name], self.has[name]) for name in self.has):
            return [point]
        made = []
        for more in self.points():
            twice = sorted(more.keys() & point.keys())
            if twice:
                raise InvalidSetting(f"vary.when: {twice[0]} varies in two ways; allowed: one")
            made.append({**point, **more})
        return made


def _crossed(ways: Iterator[list[Values]]) -> list[Values]:
    """Every combination of one of each."""
    made: list[Values] = [{}]
    for points in ways:
        if len(made) * len(points) > MOST_POINTS:
            raise InvalidSetting(
                f"vary: more than {MOST_POINTS:,} points; allowed: at most so many"
            )
        made = [{**one, **other} for one in made for other in points]
    return made


def _values_of(name: str, values: Any) -> list[Any]:
    """The values of a field, plain ones where they are NumPy's."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, range):
        values = list(values)
    if not isinstance(values, (list, tuple)) or not len(values):
        raise ValueError(f"{name} = {shown(values, 40)}: a list of one value or more")
    return [_plain(value) for value in values]


def _all_between(name: str, given: Any) -> list[int]:
    """All whole numbers of a span."""
    span = given if isinstance(given, Span) else Span(**given)
    if not isinstance(span.low, int) or not isinstance(span.high, int) or span.log:
        raise ValueError(f"{name} = {span!r}: in a grid a list of values, or whole numbers as ends")
    if span.high - span.low >= MOST_POINTS:
        raise ValueError(f"{name}: more than {MOST_POINTS:,} values")
    return list(range(span.low, span.high + 1))


def _span_or_list(name: str, value: Any) -> Span | list[Any]:
    if isinstance(value, Span):
        return value
    if isinstance(value, Mapping):
        return Span(**value)
    return _values_of(name, value)


def _drawn(value: Span | list[Any], generator: np.random.Generator) -> Any:
    if isinstance(value, Span):
        return value.draw(generator)
    return value[int(generator.integers(len(value)))]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _is_one_of(value: Any, allowed: Any) -> bool:
    listed = allowed if isinstance(allowed, (list, tuple)) else (allowed,)
    return any(type(each) is type(value) and each == value for each in listed)
