"""What a caller hands over, made into what is meant: one place for one kind of mistake."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ParamSpec, TypeVar

import numpy as np

from attractory._errors import InvalidSetting, nearest, shown, whole_number

Given = ParamSpec("Given")
Made = TypeVar("Made")
AnyClass = TypeVar("AnyClass", bound=type)
Meant = Callable[[str, Any], Any]  # the name of an argument and its value -> what is meant by it

_TAKES = "_takes"  # where a function keeps what its arguments are


def takes(**kinds: Meant) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Have a function's arguments checked, and made into what is meant; a decorator.

    Parameters
    ----------
    **kinds : callable
        For the arguments of these names: takes name and value, gives what is meant, or raises
        InvalidSetting.

    Returns
    -------
    callable
        The decorator. Its functions raise InvalidSetting for arguments that are missing or unknown,
        too.
    """

    def decorate(function: Callable[Given, Made]) -> Callable[Given, Made]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: Any, **given: Any) -> Made:
            arguments = bound(function, args, given, signature)
            meant(kinds, arguments.arguments)
            return function(*arguments.args, **arguments.kwargs)

        setattr(checked, _TAKES, kinds)
        return checked

    return decorate


def made_with(**kinds: Meant) -> Callable[[AnyClass], AnyClass]:
    """Have what a class is made with checked as by `takes`; a decorator of classes.

    Parameters
    ----------
    **kinds : callable
        As for `takes`.

    Returns
    -------
    callable
        The decorator.
    """

    def decorate(kind: AnyClass) -> AnyClass:
        made: Any = kind
        made.__init__ = takes(**kinds)(made.__init__)
        return kind

    return decorate


def kinds_of(function: Callable[..., Any]) -> dict[str, Meant]:
    """What the arguments of a function are that was decorated with `takes`."""
    kinds: dict[str, Meant] = getattr(function, _TAKES, {})
    return kinds


def meant(kinds: dict[str, Meant], arguments: dict[str, Any]) -> None:
    """Replace arguments by what is meant by them."""
    for name, kind in kinds.items():
        if name in arguments:
            arguments[name] = kind(name, arguments[name])


def bound(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    given: dict[str, Any],
    signature: inspect.Signature | None = None,
) -> inspect.BoundArguments:
    """The arguments of a call by name.

    Raises
    ------
    InvalidSetting
        Where one is missing, unknown, given twice, or too many are given.
    """
    signature = signature or inspect.signature(function)
    try:
        return signature.bind(*args, **given)
    except TypeError as error:
        raise InvalidSetting(_mismatch(function, signature, given, str(error))) from None


def _mismatch(
    function: Callable[..., Any], signature: inspect.Signature, given: dict[str, Any], said: str
) -> str:
    names = [name for name in signature.parameters if name not in ("self", "cls")]
    unknown = [name for name in given if name not in names]
    if unknown:
        said = f"unknown argument {shown(unknown[0])}; {nearest(unknown[0], names)}"
    called = function.__qualname__.removesuffix(".__init__").split(".")[-1]
    return f"{called}({', '.join(names)}): {said}"


def instance_of(*classes: type, hint: str = "") -> Meant:
    """An argument that must be of one of these classes.

    Parameters
    ----------
    *classes : type
        Those that are allowed.
    hint : str
        How one is made, for the message.

    Returns
    -------
    callable
        For `takes`.
    """

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, classes):
            raise InvalidSetting(refusal(name, value, needed(*classes), hint))
        return value

    return check


def optional(kind: Meant) -> Meant:
    """An argument that may be None, too."""
    return lambda name, value: None if value is None else kind(name, value)


def needed(*classes: type) -> str:
    """The names of classes in words: "a Network or a Trajectory"."""
    names = [each.__name__ for each in classes]
    return " or ".join(f"{'an' if name[0] in 'AEIOU' else 'a'} {name}" for name in names)


def refusal(name: str, value: Any, what: str, hint: str = "") -> str:
    """The line that says what was given for an argument, and what is needed."""
    given = f"the class {value.__name__}" if isinstance(value, type) else shown(value, 60)
    if isinstance(value, type) and not hint:
        hint = f"did you mean {value.__name__}()?"
    return f"{name} = {given} is not allowed: {what} is needed" + (f"; {hint}" if hint else "")


def array_of(*axes: str) -> Meant:
    """An argument that must be an array with these axes."""

    def check(name: str, value: Any) -> np.ndarray:
        array = as_array(name, value)
        if array.ndim != len(axes):
            wanted = f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(axes)})"
            raise InvalidSetting(f"{name} has shape {array.shape}; it must be {wanted}")
        return array

    return check


def whole(least: int = 0) -> Meant:
    """An argument that must be a whole number; also NumPy's."""
    return lambda name, value: whole_number(name, value, least)


def a_name(name: str, value: Any) -> str:
    """An argument that must be text."""
    if not isinstance(value, str):
        raise InvalidSetting(refusal(name, value, "a name"))
    return value


def names_of(name: str, value: Any) -> tuple[str, ...]:
    """An argument that must be a name, or several."""
    if isinstance(value, str):
        return (value,)
    found = sorted(value) if isinstance(value, (set, frozenset)) else several(name, value)
    return tuple(a_name(name, each) for each in found)


def a_flag(name: str, value: Any) -> bool:
    """An argument that must be true or false; also NumPy's."""
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidSetting(refusal(name, value, "True or False"))
    return bool(value)


def positive(name: str, value: Any) -> float:
    """An argument that must be a number above 0; also NumPy's."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed: a number above 0")
    return float(value)


def not_negative(name: str, value: Any) -> float:
    """An argument that must be a number, 0 or more; also NumPy's."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0 <= value < math.inf:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed: a number, 0 or more")
    return float(value)


def a_share(name: str, value: Any) -> float:
    """An argument that must be a number from 0 to 1; also NumPy's."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed: a number from 0 to 1")
    return float(value)


def a_window(name: str, value: Any) -> tuple[float, float]:
    """An argument that must be two times (ms), the earlier one first."""
    array = as_array(name, value)
    if array.shape != (2,) or not np.isfinite(array).all() or not array[0] < array[1]:
        raise InvalidSetting(
            f"{name} = {shown(value)} is not allowed: two times in ms, the earlier one first"
        )
    return float(array[0]), float(array[1])


def indices(name: str, value: Any) -> np.ndarray:
    """An argument that must be one or several whole numbers."""
    array = np.atleast_1d(as_array(name, value))
    if (array.dtype.kind not in "iu" and array.size) or array.ndim != 1:
        raise InvalidSetting(refusal(name, value, "a list of whole numbers"))
    return array.astype(int)


def several(name: str, value: Any) -> Any:
    """An argument that must be a list, or an array, of whatever."""
    if hasattr(value, "__array__"):
        return np.atleast_1d(as_array(name, value))
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise InvalidSetting(refusal(name, value, "a list of values"))
    return value


def as_array(name: str, value: Any) -> np.ndarray:
    """What stands for an array, as a NumPy array of numbers: lists, tensors, labelled arrays.

    Parameters
    ----------
    name : str
        The argument, as the message names it.
    value : object
        What was given. A tensor of PyTorch may need gradients or lie on a GPU.

    Returns
    -------
    array
        Of the numbers' own type.

    Raises
    ------
    InvalidSetting
        For what is no array of numbers.
    """
    if hasattr(value, "detach"):  # a tensor of PyTorch
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # rows of other lengths; another library's own
        array = np.asarray(None)
    if array.dtype.kind not in "biufc":
        raise InvalidSetting(refusal(name, value, "an array of numbers"))
    return array
