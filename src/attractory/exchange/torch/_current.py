"""Networks of currents in the names that the field gives their arrays.

Two families of names, each with a full or a low-rank matrix:

    wi, wrec | m, n, wo, and si, so, b, h0        Dubreuil et al. (2022), Valente et al. (2022)
    w_inp, w_rec | m, n, w_out, and w_inp_scale, w_out_scale, b_rec, taus_gaus, x0
                                                  Pals et al. (2024), Pals et al. (2024, NeurIPS)

The equation is x(t+dt) = (1 - dt/tau) x + (dt/tau) (W phi(x) + W_in u), the output W_out phi(x) (or
W_out x). Inputs and outputs are stored [from, to]; W is wrec [to, from], or m nᵀ.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.exchange.torch._state import strange
from attractory.models import CurrentRNN, Network

_MOST_UNITS = 4096  # of low rank: the matrix that a small file stands for is made in memory
_FEW_NEGATIVE = 0.1  # share: trained weights of both signs have more


class Names(NamedTuple):
    """How a family calls its arrays. scaled: whether its full matrices may be over 1/N, too."""

    into: str
    full: str
    out: str
    into_scale: str
    out_scale: str
    bias: str
    start: str
    tau: str
    scaled: bool


FAMILIES = (
    Names("wi", "wrec", "wo", "si", "so", "b", "h0", "", True),
    Names(
        *("w_inp", "w_rec", "w_out", "w_inp_scale", "w_out_scale", "b_rec", "x0", "taus_gaus"),
        scaled=False,
    ),
)


class CurrentSaid(NamedTuple):
    """What the caller says of a network of currents, None where nothing is said."""

    activation: str | None = None
    tau: float | None = None
    dt: float | None = None
    read: str | None = None
    over_units: bool | None = None
    bias: str | None = None


def has_currents(names: Collection[str]) -> bool:
    """Whether names of arrays are those of one of the families."""
    return _family(names) is not None


def current_network_of(arrays: dict[str, np.ndarray], said: CurrentSaid) -> Network:
    """The network of such arrays; InvalidSetting where the caller must say more."""
    found = _family(arrays)
    assert found is not None  # asked before
    names, prefix = found
    own = _Arrays(arrays, names, prefix)
    left, right = own.recurrent()
    low_rank, units = right is not None, len(left)
    said = said._replace(tau=own.tau(said.tau))
    bias = own.vector(names.bias, units)
    bias = None if bias is None or not bias.any() else bias
    _check_said(said, prefix + names.into, low_rank or names.scaled, bias is not None)
    into, out = own.projections(units)
    start = own.start(units)
    own.check_all_used()
    over = units if said.over_units and (low_rank or names.scaled) else 1
    weights = {
        "recurrent_weights": _product(left, right, over, own.dtype),
        "input_weights": into.T,
        "output_weights": out.T / over,
    }
    if bias is not None:
        weights["bias"] = bias
    if start is not None:
        weights["initial_state"] = start
    model = CurrentRNN(
        units=units,
        tau=said.tau,
        dt=said.dt,
        activation=said.activation,
        bias=bias is not None,
        bias_inside=said.bias == "inside",
        read=said.read,
        trained_start=start is not None,
        output_bias=False,
    )
    with np.errstate(over="ignore"):
        cast = {name: np.asarray(w, own.dtype) for name, w in weights.items()}
    return Network(model, cast)


def _product(left: np.ndarray, right: np.ndarray | None, over: int, dtype: Any) -> np.ndarray:
    """The recurrent weights in their type; of low rank by rows, to need no second matrix."""
    if right is None:
        return (left / over).astype(dtype)
    made = np.empty((len(left), len(left)), dtype)
    for first in range(0, len(left), 256):
        rows = slice(first, first + 256)
        with np.errstate(over="ignore"):  # what is too large is refused when the network is checked
            made[rows] = left[rows] @ right / over
    return made


def _family(names: Collection[str]) -> tuple[Names, str] | None:
    """The family and the prefix of the arrays' names, where a cell of one is there."""
    there = set(names)
    for family in FAMILIES:
        for name in sorted(there):
            if not name.endswith(family.into) or name[: -len(family.into)][-1:] not in ("", "."):
                continue
            prefix = name.removesuffix(family.into)
            matrix = prefix + family.full in there or {prefix + "m", prefix + "n"} <= there
            if matrix and prefix + family.out in there:
                return family, prefix
    return None


def _check_said(said: CurrentSaid, where: str, may_scale: bool, biased: bool) -> None:
    """InvalidSetting that names what a file of such arrays leaves open, and the caller does not."""
    asked = {"activation": "'tanh'", "tau": "...", "dt": "..."}
    asked["read"] = "'rates' or 'currents'"
    if may_scale:
        asked["over_units"] = "True or False (1/N)"
    if biased:
        asked["bias"] = "'inside' or 'outside' of phi"
    missing = {name: value for name, value in asked.items() if getattr(said, name) is None}
    if missing:
        how = ", ".join(f"{name}={value}" for name, value in missing.items())
        raise InvalidSetting(
            f"{shown(where)} is of a network of currents, whose arrays do not say "
            f"{', '.join(missing)}; give from_torch {how}"
        )


class _Arrays:
    """The arrays of a cell, and which of them were read."""

    def __init__(self, arrays: dict[str, np.ndarray], names: Names, prefix: str) -> None:
        self.arrays, self.names, self.prefix = arrays, names, prefix
        self.used: set[str] = set()
        single = all(array.dtype == np.float32 for array in arrays.values())
        self.dtype: Any = np.float32 if single else np.float64

    def get(self, name: str) -> np.ndarray | None:
        """An array in float64, where it is there: beside the cell's others, or one level above."""
        above = self.prefix[:-1].rpartition(".")[0]
        for prefix in (self.prefix, above + "." if above else ""):
            if name and prefix + name in self.arrays:
                self.used.add(prefix + name)
                return self.arrays[prefix + name].astype(np.float64)
        return None

    def recurrent(self) -> tuple[np.ndarray, np.ndarray | None]:
        """W (unit, unit), and None; or m (unit, rank) and n (rank, unit), whose product it is."""
        full = self.get(self.names.full)
        if full is not None:
            if full.ndim != 2 or full.shape[0] != full.shape[1] or not full.size:
                raise self._wrong(self.names.full, full, "(unit, unit)")
            if np.mean(full < 0) < _FEW_NEGATIVE:
                raise InvalidSetting(
                    f"{shown(self.prefix + self.names.full)} has hardly a negative weight: "
                    "Dale's signs seem to be kept outside of the arrays; multiply them in first"
                )
            return full, None
        m, n = self.get("m"), self.get("n")
        assert m is not None  # both are there, or it is no family
        assert n is not None
        if m.ndim != 2 or not m.size or len(m) < m.shape[1]:
            raise self._wrong("m", m, "(unit, rank)")
        units, rank = m.shape
        if n.shape not in ((units, rank), (rank, units)):
            raise self._wrong("n", n, f"{(units, rank)} or {(rank, units)}")
        if units > _MOST_UNITS:
            raise InvalidSetting(
                f"{shown(self.prefix + 'm')} is of {units} units; at most {_MOST_UNITS} are read, "
                "as the product of m and n is stored"
            )
        turned = n.shape == (rank, units) if units != rank else not self.names.scaled
        return m, n if turned else n.T

    def projections(self, units: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (input, unit) and readout (unit, output), each times its scales."""
        into, out = self.get(self.names.into), self.get(self.names.out)
        assert into is not None
        assert out is not None
        if into.ndim != 2 or into.shape[1] != units or not into.size:
            raise self._wrong(self.names.into, into, f"(input, {units})")
        if out.ndim != 2 or len(out) != units or not out.size:
            raise self._wrong(self.names.out, out, f"({units}, output)")
        into_scale = self._scale(self.names.into_scale, len(into))
        return into * into_scale[:, None], out * self._scale(self.names.out_scale, out.shape[1])

    def _scale(self, name: str, size: int) -> np.ndarray:
        found = self.get(name)
        if found is None:
            return np.ones(size)
        if found.size not in (1, size):
            raise self._wrong(name, found, f"(1,) or ({size},)")
        return np.broadcast_to(found.ravel(), (size,))

    def vector(self, name: str, units: int) -> np.ndarray | None:
        found = self.get(name)
        if found is not None and found.size != units:
            raise self._wrong(name, found, f"({units},)")
        return None if found is None else found.ravel()

    def start(self, units: int) -> np.ndarray | None:
        """The state at the start, where it is not 0."""
        found = self.vector(self.names.start, units)
        return None if found is None or not found.any() else found

    def tau(self, said: float | None) -> float | None:
        """The time constant: what the arrays have, or what is said."""
        found = self.get(self.names.tau)
        if found is None:
            return said
        name = shown(self.prefix + self.names.tau)
        if found.size != 1:
            raise InvalidSetting(
                f"{name} gives each unit a time constant of its own, which cannot be read; "
                "allowed: one for all"
            )
        own = float(found.ravel()[0])
        if said is not None and said != own:
            raise InvalidSetting(f"tau = {said} contradicts {name}, which is {own:g}")
        return own

    def check_all_used(self) -> None:
        unknown = sorted(set(self.arrays) - self.used)
        if unknown:
            raise strange(unknown[0], "allowed: the arrays of one network of currents")

    def _wrong(self, name: str, array: np.ndarray, wanted: str) -> InvalidSetting:
        return InvalidSetting(
            f"{shown(self.prefix + name)} has shape {array.shape}; it must be {wanted}"
        )
