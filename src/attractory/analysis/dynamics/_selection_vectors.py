"""What is known of how inputs move a network along a slow set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from attractory._arguments import a_name, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._result import Result
from attractory.analysis.dynamics._slow_set import IN_ORDER

MOST = 1000  # times as far: more is told as more, as the other is 0 but for rounding


@dataclass(frozen=True, repr=False)
class SelectionVectors(Result):
    """How far changes of the input move a network along a line of slow states.

    Attributes
    ----------
    name : str
        What the task calls the constant input ("context 1, stimulus off"); empty without a task.
    kind : str
        Of the slow set (see `SlowSet`); "states" for states of the caller's.
    inputs : array (input,) or None
        The constant input.
    states : array (state, unit)
        Slow states; in order along a line, ring or chain.
    eigenvalues : complex array (state,)
        Of the slowest mode, that nearest to 1; NaN on a kink of the activation.
    line : array (state, unit)
        Right eigenvector of that mode, of unit length: the line's direction, towards its end; of
        states in no order such that its largest entry is positive. NaN where the mode is one of a
        complex pair.
    selection : array (state, unit)
        Left eigenvector, scaled so that selection · line = 1: the selection vector [1]_.
    right, left : complex array (state, unit)
        Both eigenvectors of that mode, also where it is one of a complex pair: then the network
        turns in the plane of the real and imaginary part of `right`. left · right = 1.
    alignment : array (state,)
        |cos| of the angle between `line` and the direction from the states before to those after;
        NaN without an order.
    directions : tuple of str
        What the changes of the input are called.
    moves : array (state, direction, unit)
        How a change of the input, one step long, moves the state in that step.
    selected : array (state, direction)
        How far a change moves the network along the line in the end: selection · moves. In the
        plane of a complex pair: the length of what the pair takes in of it, without a sign.
    entering : array (state, direction)
        How far a change reaches along the line at first: line · moves. In the plane of a complex
        pair: the length of its orthogonal projection on that plane.
    relevant : str
        The direction that the task asks for under this input; empty where it does not say.

    References
    ----------
    .. [1] Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78.
    """

    name: str
    kind: str
    inputs: np.ndarray | None
    states: np.ndarray
    eigenvalues: np.ndarray
    line: np.ndarray
    selection: np.ndarray
    right: np.ndarray
    left: np.ndarray
    alignment: np.ndarray
    directions: tuple[str, ...]
    moves: np.ndarray
    selected: np.ndarray
    entering: np.ndarray
    relevant: str

    def __len__(self) -> int:
        return len(self.states)

    @property
    def in_order(self) -> bool:
        """Whether the states are in order along a line; not those of a plane or of points apart."""
        return self.kind == "states" or self.kind in IN_ORDER

    @property
    def single(self) -> np.ndarray:
        """Where one real mode is the slowest, so that there is a selection vector (state,)."""
        return np.isfinite(self.selection).all(axis=1)

    @property
    def known(self) -> np.ndarray:
        """Where there is a Jacobian, and its slowest modes can be told from others (state,)."""
        return np.isfinite(self.selected).all(axis=1)

    @takes(one=a_name, other=a_name)
    def ratios(self, one: str, other: str) -> tuple[np.ndarray, np.ndarray]:
        """How many times as far one change moves the network as another, whichever way.

        Parameters
        ----------
        one, other : str
            Two of `directions`.

        Returns
        -------
        selected, entering : array (state,)
            In the end, and at first, at the states where this is known.

        Raises
        ------
        InvalidSetting
            For a name that is none of `directions`.
        """
        numbers = []
        for name in (one, other):
            if name not in self.directions:
                raise InvalidSetting(f"{shown(name)}: {nearest(name, self.directions)}")
            numbers.append(self.directions.index(name))
        selected = np.abs(self.selected[self.known][:, numbers])
        entering = np.abs(self.entering[self.known][:, numbers])
        with np.errstate(divide="ignore", invalid="ignore"):
            in_the_end = selected[:, 0] / selected[:, 1]
            at_first = entering[:, 0] / entering[:, 1]
        return in_the_end, at_first

    @property
    def statement(self) -> str:
        """What the selection vectors select, in words."""
        where = f"{self.name}: " if self.name else ""
        known = int(self.known.sum())
        in_pairs = self.known & ~self.single
        pairs = int(in_pairs.sum())
        if not known:
            return f"{where}no state has a Jacobian with a mode that is the slowest."
        others = [name for name in self.directions if name != self.relevant]
        if self.relevant and others:
            told = [self._compared(name) for name in others]
        else:
            told = [self._moved(i) for i in range(len(self.directions))]
        if pairs:
            told.append(
                f"at {pairs} of {_states(len(self))} the slowest modes are a complex pair: the "
                "network turns there, and no single vector selects (lengths are those in their "
                "plane)"
            )
        if known < len(self):
            told.append(f"left out: {_states(len(self) - known)} without a single slowest mode")
        return where + "; ".join(told) + "."

    def _compared(self, other: str) -> str:
        """The relevant change beside another one."""
        selected, entering = self.ratios(self.relevant, other)
        low, middle, high = _quartiles(selected)
        told = len(selected) > 1 and high < MOST
        quartiles = f", quartiles {_short(low)} to {_short(high)}" if told else ""
        return (
            f"a pulse of {self.relevant} moves the network {_times(middle)} as far along its "
            f"{self._line_name()} as the same pulse of {other} (median of "
            f"{_states(len(selected))}{quartiles}; farther at {int((selected > 1).sum())}), "
            f"{self._one_way()}and reaches {_times(_quartiles(entering)[1])} as far along it "
            f"at first ({_times(self._longer(other))} as far counting all directions)"
        )

    def _longer(self, other: str) -> float:
        """How many times as far the relevant change moves the state at first, in whatever way."""
        lengths = np.linalg.norm(self.moves[self.known], axis=2)
        one, two = (self.directions.index(name) for name in (self.relevant, other))
        with np.errstate(divide="ignore", invalid="ignore"):
            return _quartiles(lengths[:, one] / lengths[:, two])[1]

    def _one_way(self) -> str:
        """At how many states the relevant change moves the network the same way."""
        moved = self.selected[self.single, self.directions.index(self.relevant)]
        if len(moved) < 2:
            return ""
        same = max(int((moved > 0).sum()), int((moved < 0).sum()))
        return f"in one direction at {same} of {_states(len(moved))}, "

    def _moved(self, direction: int) -> str:
        """How far one change moves the network."""
        moved = _quartiles(np.abs(self.selected[self.known, direction]))[1]
        entering = np.abs(self.entering[self.known, direction])
        reached = _quartiles(entering)[1]
        return (
            f"a step of {self.directions[direction]} moves the network {_short(moved)} along its "
            f"{self._line_name()} ({_short(reached)} at first; medians of "
            f"{_states(int(self.known.sum()))})"
        )

    def _line_name(self) -> str:
        return self.kind if self.kind in ("line", "ring", "chain") else "slowest modes"

    def table(self) -> pd.DataFrame:
        """A row for each change of the input.

        Returns
        -------
        pandas.DataFrame
            Medians over the states: how far the change moves the network along the line in the end
            (`selected`, with its quartiles), how far it moves the state at first (`length`) and how
            far along the line (`entering`), all regardless of direction; eigenvalue and alignment
            of the modes that are single.
        """
        known, single = self.known, self.single
        rows = []
        for i, name in enumerate(self.directions):
            lengths = np.abs(self.selected[known, i])
            low, middle, high = _quartiles(lengths)
            rows.append(
                {
                    "input": self.name,
                    "set": self.kind,
                    "change": name,
                    "relevant": name == self.relevant,
                    "states": len(self),
                    "single": int(single.sum()),
                    "selected": middle,
                    "selected_low": low,
                    "selected_high": high,
                    "length": _quartiles(np.linalg.norm(self.moves[known, i], axis=1))[1],
                    "entering": _quartiles(np.abs(self.entering[known, i]))[1],
                    "eigenvalue": _quartiles(self.eigenvalues[single].real)[1],
                    "alignment": _quartiles(self.alignment[single])[1],
                }
            )
        return pd.DataFrame(rows)


def _quartiles(values: np.ndarray) -> tuple[float, float, float]:
    """The quartiles; NaN of no values."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.nan, np.nan, np.nan
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]).tolist()
    return low, middle, high


def _states(count: int) -> str:
    return f"{count} state{'s' * (count != 1)}"


def _times(ratio: float) -> str:
    return f"more than {MOST} times" if ratio > MOST else f"{_short(ratio)} times"


def _short(number: float) -> str:
    """Two digits, and no power of ten."""
    return np.format_float_positional(number, 2, fractional=False, trim="-")
