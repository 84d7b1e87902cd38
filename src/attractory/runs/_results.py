"""Results that were computed on networks, kept and found again: in a folder, and in memory."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from attractory._errors import AttractoryError, FileProblem, InvalidSetting
from attractory._files import entries, read_bytes, write_bytes
from attractory._result import content_digest, decoded, encoded
from attractory._settings import as_json
from attractory._stored import Writer
from attractory.models import Network
from attractory.runs._own_code import own_code

RESULTS = "results"  # the folder in a run's folder
ENDING = ".safetensors"
REMEMBERED = 64  # results that a process keeps in memory, the newest ones


class Networks(Protocol):
    """What a run is here: networks, and the folder that they are in."""

    networks: Sequence[Network]
    path: Path | None


@dataclass(frozen=True)
class Kept:
    """A result that was found: the analysis, the network (None: all of a run), its settings."""

    analysis: str
    net: int | None
    settings: dict[str, Any]
    result: Any


_memory: OrderedDict[tuple[str, str, str], Kept] = OrderedDict()


class Results:
    """What was computed on the networks of a run, by analysis, network and settings.

    Each is a file in the folder `results` of the run, with the checksum of the weights that it is
    of: a result of other weights is never given. Results of networks that were analysed in this
    process without their run are found, too.

    Parameters
    ----------
    run : Run
        The networks, and the folder that they are in.
    functions : dict of str to callable
        Those among the settings of task, model and rule, which no file holds, by their fields.
    """

    def __init__(self, run: Networks, functions: dict[str, Any]) -> None:
        self._run, self._functions = run, functions

    @property
    def folder(self) -> Path | None:
        """Where they are kept; None for a run without a folder."""
        return None if self._run.path is None else self._run.path / RESULTS

    def of(
        self, analysis: str, settings: dict[str, Any], compute: Callable[[], Any], net: int | None
    ) -> Any:
        """The kept result of an analysis with these settings, or a new one, which is then kept.

        Parameters
        ----------
        analysis : str
            Its name.
        settings : dict
            Its settings, by name.
        compute : callable
            Makes the result, without arguments.
        net : int or None
            The network's index; None where the result is of all networks together.

        Returns
        -------
        object
            The result.
        """
        found = self.find(analysis, settings, net)
        if found is None:
            found = compute()
        elif self._lies_there(analysis, settings, net):
            return found
        if found is not None:  # computed now, or of these weights before they had this folder
            self.keep(analysis, settings, found, net)
        return found

    def _lies_there(self, analysis: str, settings: dict[str, Any], net: int | None) -> bool:
        """Whether the folder, where there is one, has a file of this result."""
        said = settings_digest(settings)
        if self.folder is None or said is None:
            return True
        return (self.folder / _name(analysis, net, said)).exists()

    def find(self, analysis: str, settings: dict[str, Any], net: int | None) -> Any | None:
        """The kept result of an analysis.

        Parameters
        ----------
        analysis : str
            Its name.
        settings : dict
            Its settings, by name.
        net : int or None
            The network's index; None where the result is of all networks together.

        Returns
        -------
        object or None
            None where there is none of these weights and settings.
        """
        weights, said = self._weights(net), settings_digest(settings)
        if said is None:
            return None
        if (weights, analysis, said) in _memory:
            return _memory[weights, analysis, said].result
        if self.folder is None:
            return None
        kept = self._read(self.folder / _name(analysis, net, said), weights)
        return None if kept is None else kept.result

    def newest(self, analysis: str, net: int | None, **having: Any) -> Any | None:
        """The result of an analysis that was kept last.

        Parameters
        ----------
        analysis : str
            Its name.
        net : int or None
            The network's index; None where the result is of all networks together.
        **having : object
            Settings that it must have; the others may be any.

        Returns
        -------
        object or None
            None without one.
        """
        weights = self._weights(net)
        asked = {name: _plain(value) for name, value in having.items()}
        for (of, name, _), kept in reversed(list(_memory.items())):
            if (of, name) == (weights, analysis) and _have(kept.settings, asked):
                return kept.result
        for path in self._files(analysis, net):
            found = self._read(path, weights)
            if found is not None and _have(found.settings, asked):
                return found.result
        return None

    def keep(self, analysis: str, settings: dict[str, Any], result: Any, net: int | None) -> None:
        """Keep a result of one network of the run, or of all of them.

        Parameters
        ----------
        analysis : str
            Its name.
        settings : dict
            Its settings, by name.
        result : object
            What was computed.
        net : int or None
            The network's index; None where the result is of all networks together.
        """
        weights, said = self._weights(net), settings_digest(settings)
        remember(weights, analysis, settings, result)
        if self.folder is None or said is None:
            return
        about: dict[str, Any] = {"analysis": analysis, "net": net, "weights": weights}
        about["settings"] = _in_words(settings)
        path = self.folder / _name(analysis, net, said)
        with suppress(InvalidSetting):  # of a result that holds what no file can: it is not kept
            content = encoded(result, about)
            write_bytes(path, content)

    def __iter__(self) -> Iterator[Kept]:
        """All that are kept in the folder and are of the run's weights."""
        for path in self._files("", None):
            about = _about(path)
            kept = None if about is None else self._read(path, self._weights(about.get("net")))
            if kept is not None:
                yield kept

    def table(self) -> pd.DataFrame:
        """The kept results as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each kept result: analysis, net, kind of result, settings.
        """
        rows = [
            {
                "analysis": kept.analysis,
                "net": "all" if kept.net is None else kept.net,
                "result": type(kept.result).__name__,
                "settings": json.dumps(kept.settings),
            }
            for kept in self
        ]
        return pd.DataFrame(rows, columns=["analysis", "net", "result", "settings"])

    def __repr__(self) -> str:
        return f"Results of {self._run.path or 'a run in memory'}:\n{self.table()}"

    def _weights(self, net: int | None) -> str:
        """The checksum of a network's weights and model; of all networks for None."""
        networks = list(self._run.networks)
        if net is None:
            whole = "".join(weights_checksum(network) for network in networks)
            return hashlib.sha256(whole.encode()).hexdigest()
        if not 0 <= net < len(networks):
            raise InvalidSetting(f"net = {net} is not allowed: the run has {len(networks)}")
        return weights_checksum(networks[net])

    def _files(self, analysis: str, net: int | None) -> list[Path]:
        """Files whose names begin with an analysis and a network, the newest first."""
        if self.folder is None:
            return []
        begin = f"{analysis}-{_of(net)}-" if analysis else ""
        named = [n for n in entries(self.folder) if n.startswith(begin) and n.endswith(ENDING)]
        return sorted(
            (self.folder / name for name in named), key=lambda p: p.stat().st_mtime, reverse=True
        )

    def _read(self, path: Path, weights: str) -> Kept | None:
        """A kept result of these weights; None for a file that is missing, damaged or stale."""
        try:
            result, about = decoded(read_bytes(path), str(path), self._functions)
        except AttractoryError:  # whatever is wrong with it: it is computed again
            return None
        if about.get("weights") != weights:
            return None
        return Kept(about["analysis"], about["net"], about["settings"], result)


def weights_checksum(network: Network) -> str:
    """SHA-256 of a network's weights and of what its model is."""
    said = json.dumps([as_json(network.model), own_code(network.model)], sort_keys=True)
    return content_digest(said, {name: np.asarray(w) for name, w in network.weights.items()})


def settings_digest(settings: dict[str, Any]) -> str | None:
    """SHA-256 of an analysis's settings, arrays by their content; None where they hold what cannot
    be told from others, such as a function."""
    writer = Writer()
    try:
        said = [writer.encoded(settings), own_code(*settings.values())]
        text = json.dumps(said, allow_nan=False)
    except (InvalidSetting, ValueError):
        return None
    return None if writer.functions else content_digest(text, writer.arrays)


def remember(weights: str, analysis: str, settings: dict[str, Any], result: Any) -> None:
    """Have a result at hand in this process; weights: `weights_checksum` of its network."""
    said = settings_digest(settings)
    if said is None:
        return
    _memory[weights, analysis, said] = Kept(analysis, None, _in_words(settings), result)
    _memory.move_to_end((weights, analysis, said))
    while len(_memory) > REMEMBERED:
        _memory.popitem(last=False)


def _in_words(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in settings.items()}


def _have(settings: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether kept settings have the values that are asked for."""
    return all(name in settings and settings[name] == value for name, value in asked.items())


def _plain(value: Any) -> Any:
    """A setting in JSON's terms, for people: of other results their kind alone."""
    plain = as_json(value)
    try:
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError):
        return type(value).__name__
    return plain


def _name(analysis: str, net: int | None, said: str) -> str:
    return f"{analysis}-{_of(net)}-{said[:16]}{ENDING}"


def _of(net: int | None) -> str:
    return "all" if net is None else f"net{net}"


def _about(path: Path) -> dict[str, Any] | None:
    """What a file says of itself; None where it says nothing that can be read."""
    try:
        content = read_bytes(path)
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        about: dict[str, Any] = json.loads(header["__metadata__"]["result"])["about"]
    except (FileProblem, ValueError, KeyError, TypeError):
        return None
    return about
