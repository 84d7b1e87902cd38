"""The signature of settings as a reader wants it: names, plain types, usual values."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo


def signature_of(fields: Mapping[str, FieldInfo], by_position: tuple[str, ...]) -> Signature:
    """The signature of a class of settings.

    Parameters
    ----------
    fields : mapping of str to FieldInfo
        Its fields.
    by_position : tuple of str
        Those that may be given without their names.

    Returns
    -------
    Signature
        All settings, those by position first.
    """
    parameters = [
        _parameter(field.alias or name, field, by_position) for name, field in fields.items()
    ]
    parameters.sort(key=lambda each: each.kind)
    return Signature(parameters)


def _parameter(name: str, field: FieldInfo, by_position: tuple[str, ...]) -> Parameter:
    kind = Parameter.POSITIONAL_OR_KEYWORD if name in by_position else Parameter.KEYWORD_ONLY
    usual = (
        Parameter.empty if field.is_required() else field.get_default(call_default_factory=False)
    )
    return Parameter(name, kind, default=usual, annotation=plain(field.annotation))


def plain(annotation: Any) -> Any:
    """A type without the limits of its values, and without what functions take."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return plain(args[0])
    if origin in (Union, UnionType):
        return functools.reduce(operator.or_, map(plain, args))
    if origin is Callable:
        return Callable
    if origin is tuple:
        return tuple[tuple(map(plain, args))]  # type: ignore[misc]
    return annotation
