"""The equation of a cell, as it is written on a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Equation:
    """A cell's equation in mathtext (the part of LaTeX that matplotlib draws).

    Attributes
    ----------
    lines : tuple of str
        Of the recurrence.
    read : str
        What is read out, as "h(t)".
    state, given : str
        The symbols of the state and of the input.
    in_words : str
        What the cell is called.
    """

    lines: tuple[str, ...]
    read: str = "h(t)"
    state: str = "h(t)"
    given: str = "x(t)"
    in_words: str = "cell"


def leaking(symbol: str, change: str, leak: float) -> tuple[str, ...]:
    """s(t+dt) = (1 - dt/tau) s(t) + (dt/tau) change; the change alone where dt = tau."""
    if leak == 1:
        return (rf"${symbol}(t+\Delta t) = {change}$",)
    return (
        rf"${symbol}(t+\Delta t) = (1 - \Delta t/\tau)\,{symbol}(t)$",
        rf"$\qquad +\ (\Delta t/\tau)\,{change}$",
    )


def name_of(function: Any) -> str:
    """What a function is called."""
    if isinstance(function, str):
        return function
    return str(getattr(function, "__name__", type(function).__name__))
