"""Descriptions of tasks, models and rules: immutable, checked, comparable, written as JSON."""

from __future__ import annotations

import hashlib
import json
from types import UnionType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, Union, get_origin

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from attractory._errors import InvalidSetting, nearest, shown, unknown_name
from attractory._signature import signature_of

MOST = 2**31 - 1  # the largest whole number that JAX's usual integers hold; a field may say more
_FOR_AUTHORS = ("by_position", "newer_fields")  # of classes: nobody asks settings for these
_MOST_PROBLEMS = 3  # that one message tells; a value that fits none of several kinds makes many


class Settings(BaseModel):
    """A named set of checked values.

    A wrong value raises `InvalidSetting` with one line that names the class, the field, the value
    and what is allowed. Two settings are equal when they are of one class and say the same.

    Parameters
    ----------
    **values : object
        The settings by name.

    Raises
    ------
    InvalidSetting
        For a wrong value, an unknown name, and when a setting is changed afterwards.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    # fields that runs of earlier versions do not say: left out of the JSON while they say what was
    # so before, so that these runs go on and are found again
    newer_fields: ClassVar[tuple[str, ...]] = ()

    # what may be given without its name, in this order: where the meaning is plain
    by_position: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **given: Any) -> None:
        super().__pydantic_init_subclass__(**given)
        cls.__signature__ = signature_of(cls.model_fields, cls.by_position)

    # self by position alone: a file may hold a setting of that name
    def __init__(self, /, *unnamed: Any, **values: Any) -> None:
        values = self._named(unnamed, values)
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InvalidSetting(_one_line(type(self), error)) from None

    @classmethod
    def _named(cls, unnamed: tuple[Any, ...], values: dict[str, Any]) -> dict[str, Any]:
        """All settings by name, those given by position among them."""
        if len(unnamed) > len(cls.by_position):
            allowed = list(cls.setting_names())
            first = f", only {', '.join(cls.by_position)} without" if cls.by_position else ""
            raise InvalidSetting(
                f"{cls.__name__}({shown(unnamed[len(cls.by_position)], 40)}): settings are given "
                f"by name{first}; {nearest('', allowed)}"
            )
        named = dict(zip(cls.by_position, unnamed, strict=False))
        for name in named.keys() & values.keys():
            raise InvalidSetting(
                f"{cls.__name__}: {name} is given twice, {shown(named[name], 40)} and "
                f"{name} = {shown(values[name], 40)}"
            )
        return named | values

    if not TYPE_CHECKING:  # or every name would be taken for a setting

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or hasattr(
                type(self), name
            ):  # pydantic's, or a failed property
                return super().__getattr__(name)
            raise unknown_name(self, name)

    def __dir__(self) -> list[str]:
        """The names that are of use: settings and what the classes add, without pydantic's."""
        added = {
            name for kind in type(self).__mro__ if issubclass(kind, Settings) for name in vars(kind)
        }
        names = added.difference(_FOR_AUTHORS) | set(type(self).model_fields)
        return sorted(name for name in names if not name.startswith(("_", "model_")))

    def __str__(self) -> str:
        return repr(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):  # pydantic keeps its own things under such names
            self._refuse_change(name, shown(value, 40))
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if not name.startswith("_"):
            self._refuse_change(name, "...")
        super().__delattr__(name)

    def _refuse_change(self, name: str, value: str) -> NoReturn:
        kind, fields = type(self).__name__, self.setting_names()
        if name not in fields:
            raise InvalidSetting(f"{kind}: unknown setting {shown(name)}; {nearest(name, fields)}")
        raise InvalidSetting(
            f"{kind}.{name} cannot be changed: settings stay as they were made; "
            f"others are made by .replace({name}={value})"
        )

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        number = cls.model_fields[str(info.field_name)].annotation in (int, float)
        if number and isinstance(value, bool):
            raise ValueError("a number")
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _within_integers(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, int) and abs(value) > MOST:
            limits = cls.model_fields[str(info.field_name)].metadata
            if not any(hasattr(limit, "lt") or hasattr(limit, "le") for limit in limits):
                raise ValueError(f"a whole number of at most {MOST}")
        return value

    def replace(self, /, **changes: Any) -> Self:
        """The same settings with some fields changed.

        Parameters
        ----------
        **changes : object
            The new values, by the names of the settings.

        Returns
        -------
        Settings
            Others of the same class, checked again.
        """
        values = {said: getattr(self, name) for said, name in self.setting_names().items()}
        values |= self.__pydantic_extra__ or {}  # of a class that takes settings for others
        return type(self)(**{**values, **changes})

    @classmethod
    def setting_names(cls) -> dict[str, str]:
        """The attribute of each setting, by the name that the setting has when it is given.

        Returns
        -------
        dict of str to str
            Names of attributes by names of settings.
        """
        return {field.alias or name: name for name, field in cls.model_fields.items()}

    def to_json(self) -> dict[str, Any]:
        """The settings as values that JSON can hold.

        Returns
        -------
        dict
            Values by the names of the settings.

        Notes
        -----
        Arrays become their shape and SHA-256; functions become their name: both can be told apart
        from others, but not rebuilt (whoever loads them hands the object over again).
        """
        fields = type(self).model_fields
        return {
            said: as_json(getattr(self, name))
            for said, name in self.setting_names().items()
            if name not in self.newer_fields or getattr(self, name) != fields[name].default
        }

    def __repr_args__(self) -> Any:
        """What is not as usual: settings are shown by it."""
        for said, name in self.setting_names().items():
            value, usual = getattr(self, name), type(self).model_fields[name].default
            if not _same(value, usual):
                yield said, value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def _key(self) -> str:
        values = (getattr(self, name) for name in type(self).model_fields)
        functions = [id(value) for value in values if callable(value)]
        return json.dumps([self.to_json(), functions], sort_keys=True)


def _same(value: Any, usual: Any) -> bool:
    """Whether a setting has its usual value; arrays are never usual."""
    if hasattr(value, "__array__") or hasattr(usual, "__array__"):
        return False
    return bool(type(value) is type(usual) and value == usual)


def as_json(value: Any) -> Any:
    """A value in JSON's terms: arrays by fingerprint, functions by name, tuples as lists.

    Parameters
    ----------
    value : object
        A setting, or settings.

    Returns
    -------
    object
        What JSON can hold.
    """
    if isinstance(value, Settings):
        return value.to_json()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if callable(value):
        return {"function": getattr(value, "__qualname__", repr(value))}
    if hasattr(value, "__array__"):
        array = np.ascontiguousarray(value)
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        return {"array": list(array.shape), "dtype": str(array.dtype), "sha256": digest}
    return value


def _one_line(kind: type[Settings], error: ValidationError) -> str:
    said = [
        _describe(kind, of_field[0]) if len(of_field) == 1 else _describe_kinds(of_field)
        for of_field in _by_field(kind, error.errors(include_url=False))
    ]
    said[_MOST_PROBLEMS:] = ["…"] if len(said) > _MOST_PROBLEMS else []
    return f"{kind.__name__}: {'; '.join(said)}"


def _by_field(kind: type[Settings], problems: list[Any]) -> list[list[Any]]:
    """The problems apart, but those of a field that may be of several kinds together."""
    groups: dict[Any, list[Any]] = {}
    for number, problem in enumerate(problems):
        field = problem["loc"][0] if problem["loc"] else None
        groups.setdefault(field if _of_several_kinds(kind, field) else number, []).append(problem)
    return list(groups.values())


def _of_several_kinds(kind: type[Settings], name: Any) -> bool:
    field = kind.model_fields.get(kind.setting_names().get(name, ""))
    return field is not None and get_origin(field.annotation) in (Union, UnionType)


def _describe_kinds(problems: list[Any]) -> str:
    """The problems of one field, one for each kind of value that it may have."""
    whole = min(problems, key=lambda problem: len(problem["loc"]))
    allowed = dict.fromkeys(_allowed(problem) for problem in problems)
    return (
        f"{whole['loc'][0]} = {shown(whole['input'], 60)} is not allowed: "
        f"should be {', or '.join(allowed)}"
    )


def _allowed(problem: Any) -> str:
    """What pydantic says should be there, in fewer words."""
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    wanted = message.replace("a valid dictionary or instance of ", "").partition(", unable to")[0]
    item = problem["loc"][-1]
    return f"{wanted} as item {item + 1}" if isinstance(item, int) else wanted


def _describe(kind: type[Settings], problem: Any) -> str:
    parts = [str(part)[:60] for part in problem["loc"] if isinstance(part, (str, int))]
    field = ".".join(parts)
    if problem["type"] == "extra_forbidden":
        return f"unknown setting {shown(field)}; {nearest(field, kind.setting_names())}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not field:  # a check over several fields names them itself
        return str(message)
    return f"{field} = {shown(problem.get('input'), 60)} is not allowed: {message}"
