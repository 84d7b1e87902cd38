"""What a file format is, and the formats by name: each is registered where it is defined."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from attractory._arguments import a_name, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry
from attractory.models import Network

FormatClass = TypeVar("FormatClass", bound=type)


class Format(ABC):
    """A format of files that hold one network: how it is known, read and written.

    A subclass says `name`, `endings`, `in_words` and `sniff`, and defines `read`, `write` or both:
    `reads` and `writes` follow from what it defines. It is made without arguments.

    Attributes
    ----------
    name : str
        What the commands and `format=` call it.
    endings : tuple of str
        How the names of its files end, each with its dot; the first is that of files for which
        nobody says a name. Other formats may have the same.
    in_words : str
        What its files are, in a few words, as the refusals say it ("PsychRNN's .npz").
    reads, writes : bool
        Whether networks are read from such files, and written to them.
    """

    name: ClassVar[str]
    endings: ClassVar[tuple[str, ...]]
    in_words: ClassVar[str]
    reads: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls.reads = cls.read is not Format.read
        cls.writes = cls.write is not Format.write

    @abstractmethod
    def sniff(self, path: Path) -> bool:
        """Whether a file's content is of this format, whatever it is called.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        bool
            ValueError, OSError and the like stand for no.

        Notes
        -----
        It looks at as little as tells these files from others of the same ending, runs nothing
        and unpickles nothing.
        """

    def read(self, path: Path, *unnamed: Any, **settings: Any) -> Network:
        """The network in a file.

        Parameters
        ----------
        path : Path
            The file.
        *unnamed, **settings : object
            What files of the format do not say; a subclass names its own as arguments of its
            `read`.

        Returns
        -------
        Network
            The network in the file.

        Raises
        ------
        FileProblem
            For a file that cannot be used.
        InvalidSetting
            For a setting, and in a format that is only written.
        """
        raise InvalidSetting(self._one_way("reads"))

    def write(self, network: Network, path: Path) -> Path:
        """Write a network to a file, replacing an existing one.

        Parameters
        ----------
        network : Network
            The network that is written.
        path : Path
            The file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InvalidSetting
            For a network that the format cannot hold, and in a format that is only read.
        FileProblem
            When the file cannot be written.
        """
        raise InvalidSetting(self._one_way("writes"))

    @classmethod
    def settings(cls) -> tuple[str, ...] | None:
        """The names of what `read` takes beside the path.

        Returns
        -------
        tuple of str or None
            None where it takes any.
        """
        arguments = list(inspect.signature(cls.read).parameters.values())[2:]
        if any(each.kind is each.VAR_KEYWORD for each in arguments):
            return None
        return tuple(each.name for each in arguments)

    def _one_way(self, direction: str) -> str:
        """Why a format that goes the other way only is refused."""
        asked, done = ("read", "written") if direction == "reads" else ("written", "read")
        return (
            f"format = {self.name!r} is not allowed here: {self.in_words} is {done} only, not "
            f"{asked}; allowed: {', '.join(those_that(direction))}"
        )


_registry: Registry[Format] = Registry(
    "format", Format, "attractory.exchange", name_of=lambda format: format.name, known=()
)
names, find = _registry.names, _registry.find


def register(format: FormatClass) -> FormatClass:
    """Make a format known, and return its class, so that this can stand as a decorator.

    After that it is in `read` and `write` here, in `attractory import` and `attractory export`.
    Registering a class again replaces the older version of it.

    Parameters
    ----------
    format : type
        A subclass of `Format`.

    Returns
    -------
    type
        The same class.

    Raises
    ------
    InvalidSetting
        For a class that is no Format, does not say what a Format says of itself, or takes another's
        name.
    """
    if isinstance(format, type) and issubclass(format, Format):
        _check_facts(format)
    return _registry.register(format)


def those_that(direction: str) -> list[str]:
    """The names of the formats that can be read ("reads"), or written ("writes")."""
    return [name for name in names() if getattr(find(name), direction)]


@takes(direction=a_name)
def named(name: Any, direction: str) -> Format:
    """The format of this name.

    Parameters
    ----------
    name : str
        The format's name.
    direction : str
        "reads" or "writes": what it is needed for.

    Returns
    -------
    Format
        One that can be read, or written, as asked.

    Raises
    ------
    InvalidSetting
        Where there is none, or not in this direction.
    """
    if direction not in ("reads", "writes"):
        raise InvalidSetting(f"direction = {shown(direction)} is not allowed: 'reads', 'writes'")
    if not isinstance(name, str) or name not in names():
        raise InvalidSetting(
            f"format = {shown(name)} is not allowed (one of your own needs "
            f"attractory.exchange.register first); {nearest(name, those_that(direction))}"
        )
    format = find(name)()
    if not getattr(format, direction):
        raise InvalidSetting(format._one_way(direction))
    return format


def _check_facts(format: type[Format]) -> None:
    where = f"register: {format.__name__}"
    for fact in ("name", "in_words"):
        said = getattr(format, fact, None)
        if not isinstance(said, str) or not said.strip():
            raise InvalidSetting(f"{where}.{fact} = {shown(said)} is not allowed: a few letters")
    endings = getattr(format, "endings", None)
    if (
        not isinstance(endings, tuple)
        or not endings
        or not all(isinstance(each, str) and len(each) > 1 and each[0] == "." for each in endings)
    ):
        raise InvalidSetting(
            f"{where}.endings = {shown(endings)} is not allowed: a tuple of endings with their "
            "dots, such as ('.json',)"
        )
    if not (format.reads or format.writes):
        raise InvalidSetting(f"{where} defines neither read nor write; one of them is needed")
    if inspect.isabstract(format):
        raise InvalidSetting(f"{where} has no sniff(path), which tells its files from others")
