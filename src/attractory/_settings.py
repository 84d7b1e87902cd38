"""Descriptions of tasks, models and rules: immutable, checked, comparable, written as JSON."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from attractory._errors import InvalidSetting, nearest


class Settings(BaseModel):
    """A named set of checked values.

    A wrong value raises `InvalidSetting` with one line that names the class, the field, the value
    and what is allowed. Two settings are equal when they are of one class and say the same.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, validate_default=True
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InvalidSetting(_one_line(type(self), error)) from None

    def replace(self, **changes: Any) -> Self:
        """The same settings with some fields changed; the result is checked again."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**values, **changes})

    def to_json(self) -> dict[str, Any]:
        """The settings as values that JSON can hold.

        Arrays become their shape and SHA-256; functions become their name: both can be told apart
        from others, but not rebuilt (whoever loads them hands the object over again).
        """
        return {name: as_json(getattr(self, name)) for name in type(self).model_fields}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def _key(self) -> str:
        values = (getattr(self, name) for name in type(self).model_fields)
        functions = [id(value) for value in values if callable(value)]
        return json.dumps([self.to_json(), functions], sort_keys=True)


def as_json(value: Any) -> Any:
    """`value` in JSON's terms: arrays by fingerprint, functions by name, tuples as lists."""
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


def _one_line(kind: type[BaseModel], error: ValidationError) -> str:
    problems = [_describe(kind, problem) for problem in error.errors()]
    return f"{kind.__name__}: {'; '.join(problems)}"


def _describe(kind: type[BaseModel], problem: Any) -> str:
    field = ".".join(str(part) for part in problem["loc"] if isinstance(part, (str, int)))
    if problem["type"] == "extra_forbidden":
        return f"unknown setting {field!r}; {nearest(field, kind.model_fields)}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not field:  # a check over several fields names them itself
        return message
    value = repr(problem.get("input"))
    value = value if len(value) <= 60 else value[:57] + "..."
    return f"{field} = {value} is not allowed: {message}"
