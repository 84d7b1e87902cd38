"""The errors that a caller can cause: one line each, which field, which value, what is allowed."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from numbers import Integral
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

AnyClass = TypeVar("AnyClass", bound=type)

LONGEST = 300  # letters of a message: what a terminal shows in three lines
_TAIL = 120  # of them for the end of a message that is cut: there it says what is allowed
_LONGEST_NAMES = 150  # letters of a list of allowed names that is shown whole
_CUT = " … "
_OF_TUPLES = ("count", "index")  # methods whose names are mistaken for parts


class AttractoryError(Exception):
    """Base of every error that Attractory raises for a caller's mistake.

    Its message is one line of at most 300 printable letters, whatever it is made from.

    Parameters
    ----------
    message : object
        What went wrong; its text is put on one line.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


class InvalidSetting(AttractoryError, ValueError):
    """A setting of a task, model or rule, or an argument, has a value that is not allowed.

    Parameters
    ----------
    message : object
        Which setting, which value, and what is allowed.
    """


class UnknownName(InvalidSetting, AttributeError):
    """An attribute that is not there, of something with a fixed set of them.

    An AttributeError, too: `hasattr` and `getattr` with a default work as everywhere.

    Parameters
    ----------
    message : object
        Whose attribute, its name, and those that there are.
    """


class FileProblem(AttractoryError, OSError):
    """A file or folder is missing, damaged, of an unknown kind, or cannot be written.

    An OSError, as Python's own of files are: `except OSError` holds both.

    Parameters
    ----------
    message : object
        Which file, and what is wrong with it.
    """


class NamesNearest:
    """Base of things that name the nearest of their attributes where an unknown one is asked for.

    Only Python's own lookup comes here, after it has found nothing.
    """

    if not TYPE_CHECKING:  # or every name would be taken for one of theirs

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or hasattr(type(self), name):  # a property that failed itself
                return object.__getattribute__(self, name)
            raise unknown_name(self, name)


def without_tuple_names(kind: AnyClass) -> AnyClass:
    """Take `count` and `index` from a named tuple, and name what it has instead; a decorator.

    Parameters
    ----------
    kind : type
        A class of named tuples.

    Returns
    -------
    type
        The same class, whose unknown attributes are answered with those that there are.
    """

    made: Any = kind

    def refuse(thing: object, name: str) -> NoReturn:
        raise unknown_name(thing, name) if not name.startswith("_") else AttributeError(name)

    def absent(name: str) -> property:
        return property(lambda thing: refuse(thing, name))

    for name in _OF_TUPLES:
        setattr(made, name, absent(name))
    made.__getattr__ = refuse
    made.__dir__ = lambda thing: [each for each in object.__dir__(thing) if each not in _OF_TUPLES]
    return kind


def unknown_name(thing: object, name: str) -> UnknownName:
    """The error that says which attributes something has.

    Parameters
    ----------
    thing : object
        What was asked.
    name : str
        The attribute that it does not have.

    Returns
    -------
    UnknownName
        To be raised.
    """
    known = [each for each in dir(thing) if not each.startswith("_") and each != name]
    return UnknownName(f"{type(thing).__name__} has no {shown(name)}; {nearest(name, known)}")


def one_line(text: str) -> str:
    """The text on one line, cut in its middle where it is too long.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        At most 300 letters.

    Notes
    -----
    Letters that cannot be printed (control characters, halves of surrogate pairs) are written as
    escapes: text from files must not steer the reader's terminal.
    """
    most = 4 * LONGEST
    if len(text) > most:
        text = text[: most // 2] + _CUT + text[-most // 2 :]
    text = " ".join(text.split())
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)
    if len(text) <= LONGEST:
        return text
    head = LONGEST - _TAIL - len(_CUT)
    return text[:head].rstrip() + _CUT + text[-_TAIL:].lstrip()


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


class _Shown(reprlib.Repr):
    """Python's own way of writing values short, for all kinds of values that arrive here."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 60, 60
        self.maxtuple = self.maxlist = self.maxset = self.maxfrozenset = self.maxdeque = 6
        self.maxdict = 4

    def repr1(self, x: Any, level: int) -> str:
        if hasattr(type(x), "model_fields"):  # of pydantic: settings within settings
            return f"{type(x).__name__}(...)"
        if getattr(x, "ndim", 0) and hasattr(x, "dtype"):
            return f"an array {tuple(x.shape)} of {x.dtype}"
        if isinstance(x, (bytes, bytearray)) and len(x) > 30:
            return f"{bytes(x[:30])!r}..."
        return super().repr1(x, level)

    def repr_int(self, x: int, level: int) -> str:
        digits = int(x.bit_length() * 0.30103) + 1
        # Python refuses to write more than 4300 digits, and takes long for less
        return repr(x) if digits <= 40 else f"a number of {digits} digits"


_shown = _Shown()


def shown(value: Any, most: int = 80) -> str:
    """`repr(value)`, cut before it is made: for messages that quote a value of any size.

    Parameters
    ----------
    value : object
        Of collections the first few items are shown, of strings the ends, of arrays shape and type.
    most : int
        Letters of the result.

    Returns
    -------
    str
        The value in words.
    """
    text = _shown.repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def nearest(name: object, allowed: Iterable[str]) -> str:
    """What is allowed, and a hint that names the one closest to a name.

    Parameters
    ----------
    name : object
        What was asked for.
    allowed : iterable of str
        The names that are allowed.

    Returns
    -------
    str
        All of the allowed names when they are few, else those most like `name`.
    """
    names = sorted(map(str, allowed))
    asked = name[:100] if isinstance(name, str) else ""
    close = difflib.get_close_matches(asked, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    listed = ", ".join(names)
    if len(listed) > _LONGEST_NAMES:
        some = difflib.get_close_matches(asked, names, n=6, cutoff=0.0) if asked else names[:6]
        listed = f"{', '.join(some)}, … ({len(names)} in all)"
    return f"allowed: {listed}{hint}"


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """A value that must be a whole number.

    Parameters
    ----------
    name : str
        The setting, as the message names it.
    value : object
        What was given.
    least : int
        The smallest number that is allowed.

    Returns
    -------
    int
        The value.

    Raises
    ------
    InvalidSetting
        For any other value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InvalidSetting(
            f"{name} = {shown(value)} is not allowed: a whole number, {least} or more"
        )
    return int(value)
