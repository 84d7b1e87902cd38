"""Reading and writing a file by what it is: by its format's name, its content, its ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attractory._arguments import takes
from attractory._errors import AttractoryError, FileProblem, InvalidSetting, nearest, shown
from attractory._files import a_path, as_path
from attractory.exchange._content import check_there, reason
from attractory.exchange._format import Format, find, named, those_that
from attractory.models import Network, one_network

# what code that meets bytes which it does not expect raises, of our formats and of users' own
_UNEXPECTED = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError)


@takes()
def read(path: str | Path, format: str | None = None, **settings: Any) -> Network:
    """A network from a file of any registered format.

    Parameters
    ----------
    path : str or Path
        The file.
    format : str, optional
        The format's name. None: the one format whose files end as this one does; where several
        formats share the ending, the one that knows its own in the file's content.
    **settings : object
        What the file does not say, by the names that the format's `read` has for it (of Keras, say,
        `activation`, `recurrent_activation`, `reset_after`); None where nothing is said.

    Returns
    -------
    Network
        The network in the file.

    Raises
    ------
    FileProblem
        In one line when the file cannot be used, has an ending that no format reads, or is none of
        those that share its ending, or several of them.
    InvalidSetting
        For an unknown format, one that is only written, and for a setting that the format does not
        have.
    """
    path = as_path(path)
    chosen = _by_content(path) if format is None else named(format, "reads")
    said = {name: value for name, value in settings.items() if value is not None}
    _check_settings(chosen, path, said)
    try:
        network = chosen.read(path, **said)
    except AttractoryError:
        raise
    except _UNEXPECTED as error:
        raise FileProblem(
            f"{path}: not readable as {chosen.in_words} ({type(error).__name__}: {reason(error)})"
        ) from error
    if not isinstance(network, Network):
        raise InvalidSetting(
            f"format {chosen.name!r}: its read returned {shown(network)}; a Network is needed"
        )
    return network


@takes(network=one_network, path=a_path)
def write(network: Network, path: str | Path, format: str | None = None) -> Path:
    """Write a network to a file of any registered format.

    Parameters
    ----------
    network : Network
        The network that is written.
    path : str or Path
        The file. An existing one is replaced, a missing folder is made.
    format : str, optional
        The format's name. None: the one format that is written with the path's ending.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidSetting
        For an unknown format, one that is only read, an ending that several formats share, and a
        network that would compute something else in the other framework.
    FileProblem
        For an ending that no format writes, or when the file cannot be written.
    """
    path = as_path(path)
    chosen = _by_ending(path) if format is None else named(format, "writes")
    try:
        made = _written(chosen, network, path)
    except AttractoryError:
        raise
    except OSError as error:
        raise FileProblem(f"{path}: cannot be written: {error.strerror or error}") from error
    return path if made is None else made


def _written(format: Format, network: Network, path: Path) -> Path | None:
    """What the format's `write` returns; the folder is made once it is known to be missing.

    Not before: a network that is refused leaves nothing behind.
    """
    try:
        return format.write(network, path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return format.write(network, path)


def _by_content(path: Path) -> Format:
    """The format of a file: the only one of its ending, or the one that knows it for its own."""
    candidates = _of_ending(path, "reads")
    # alone it says best what is wrong with a file that is not its own
    if len(candidates) == 1:
        return candidates[0]
    check_there(path)
    fitting = [format for format in candidates if _sniffs(format, path)]
    if len(fitting) == 1:
        return fitting[0]
    what = "none of" if not fitting else "could be any of"
    known = ", ".join(f"{each.name!r} ({each.in_words})" for each in fitting or candidates)
    raise FileProblem(f"{path}: by its content it is {what} {known}; say which it is: format=NAME")


def _by_ending(path: Path) -> Format:
    candidates = _of_ending(path, "writes")
    if len(candidates) == 1:
        return candidates[0]
    known = ", ".join(f"{each.name!r} ({each.in_words})" for each in candidates)
    raise InvalidSetting(f"{path}: several formats have this ending, {known}; say format=NAME")


def _of_ending(path: Path, direction: str) -> list[Format]:
    """All formats of a file's ending that are read, or written; FileProblem where there is none."""
    allowed = [find(name) for name in those_that(direction)]
    fitting = [each() for each in allowed if path.name.endswith(each.endings)]
    if not fitting:
        done = "read from" if direction == "reads" else "written to"
        endings = {ending for each in allowed for ending in each.endings}
        raise FileProblem(
            f"{path}: networks are not {done} {path.suffix!r} files; "
            f"{nearest(path.suffix, endings)}"
        )
    return fitting


def _sniffs(format: Format, path: Path) -> bool:
    try:
        return bool(format.sniff(path))
    except _UNEXPECTED:
        return False


def _check_settings(format: Format, path: Path, said: dict[str, Any]) -> None:
    known = format.settings()
    for name, value in said.items():
        if known is not None and name not in known:
            raise InvalidSetting(
                f"{name} = {shown(value)} is not allowed for {path.suffix or format.name} files; "
                f"{nearest(name, known) if known else 'they take no settings'}"
            )
