"""Checks of what the figures are given; each problem is one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from attractory._errors import InvalidSetting

T = TypeVar("T")


def one_of(name: str, value: Any, kind: type[T]) -> T:
    """`value` when it is of that kind, else InvalidSetting."""
    if not isinstance(value, kind):
        raise InvalidSetting(
            f"{name} is of type {type(value).__name__}; a {kind.__name__} is needed"
        )
    return value


def several(name: str, values: T | Sequence[T], kind: type[T]) -> list[T]:
    """One result or a sequence of them, as a list with at least one."""
    found = [values] if isinstance(values, kind) else values
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise InvalidSetting(
            f"{name} is of type {type(values).__name__}; "
            f"a {kind.__name__} or a sequence of them is needed"
        )
    if not found:
        raise InvalidSetting(f"{name} is empty; at least one {kind.__name__} is needed")
    return [one_of(f"{name}[{i}]", value, kind) for i, value in enumerate(found)]


def paired(name: str, values: Sequence[T] | None, count: int, kind: type[T]) -> list[T | None]:
    """`count` results, or `count` times None."""
    if values is None:
        return [None] * count
    found = several(name, values, kind)
    if len(found) != count:
        raise InvalidSetting(f"{name} has {len(found)} entries, there are {count} networks")
    return list(found)


def by_name(name: str, values: Any, kind: type[T]) -> dict[str, T]:
    """Results by name: a mapping as it is, one alone without a name, several numbered."""
    if values is None:
        return {}
    if isinstance(values, Mapping):
        return {str(key): one_of(f"{name}[{key!r}]", each, kind) for key, each in values.items()}
    found = several(name, values, kind)
    if len(found) == 1:
        return {"": found[0]}
    return {f"input {i + 1}": each for i, each in enumerate(found)}


def by_own_name(name: str, values: Any, kind: type[T]) -> dict[str, T]:
    """Results by the names of a mapping, else by their own `name`; numbered where it is none."""
    found = by_name(name, values, kind)
    if not found:
        raise InvalidSetting(f"{name} is empty; at least one {kind.__name__} is needed")
    names = [str(getattr(each, "name", "")) for each in found.values()]
    if isinstance(values, Mapping) or not all(names) or len(set(names)) < len(names):
        return found
    return dict(zip(names, found.values(), strict=True))
