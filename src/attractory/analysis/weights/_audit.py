"""Do the weights obey their constraints? Counted on the weights themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import takes
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.analysis.weights._broken_rules import FIXED, broken_rules, moved_weights
from attractory.models import Constraints, Network, networks_of
from attractory.runs import Run

KINDS = ("dale", "mask", "bounds", "fixed", "inputs", "outputs")
WORDS = {
    "dale": "Dale's law",
    "mask": "the mask",
    "bounds": "the bounds",
    "fixed": "the fixed weights",
    "inputs": "the areas that get the inputs",
    "outputs": "what is read out",
}


@dataclass(frozen=True, repr=False)
class NetworkAudit(Result):
    """What is so of one matrix of recurrent weights W (unit, unit), [to, from].

    Attributes
    ----------
    net : int
        Index of the network.
    layer : int or None
        Of a stack the layer, from 1; else None.
    broken : dict of int
        Number of weights that break each rule which the model has: "dale" (weights of the wrong
        sign for their column), "mask" (weights other than 0 where there is no connection, the
        diagonal among them where there are no self-connections), "bounds", "fixed" (fixed weights
        that moved; of runs that were trained here alone), "inputs" (input weights of units outside
        of the input areas), "outputs" (readout weights of units outside of the output areas, or
        inhibitory, or negative, where excitatory units alone are read out).
    signs : array (unit,)
        What each unit is by the weights that it sends, whatever the model asks for: 1 excitatory,
        -1 inhibitory, 0 where it sends nothing; NaN where it sends weights of both signs.
    silent_rows : int
        Number of units that get nothing from any unit.
    self_connections : int
        Number of weights on the diagonal other than 0.
    density : float
        Share of all N² weights that are not 0.
    density_allowed : float
        Share of those that may be there by the model's constraints (not between areas that are not
        connected, not outside of a `mask`, not on the diagonal where there are no self-connections)
        that are not 0.
    excitation, inhibition : array (unit,)
        Sums of the positive weights, and of the sizes of the negative ones, to each unit.
    block_density : array (area, area) or None
        Density of the connections between areas, [to, from]; None without areas.
    radius : float
        Spectral radius.
    """

    net: int
    layer: int | None
    broken: dict[str, int]
    signs: np.ndarray = field(repr=False)
    silent_rows: int
    self_connections: int
    density: float
    density_allowed: float
    excitation: np.ndarray = field(repr=False)
    inhibition: np.ndarray = field(repr=False)
    block_density: np.ndarray | None
    radius: float

    @property
    def violations(self) -> int:
        """How many weights break a constraint, over all constraints."""
        return sum(self.broken.values())

    @property
    def mixed_columns(self) -> int:
        """Number of units that send weights of both signs."""
        return int(np.isnan(self.signs).sum())

    @property
    def excitatory(self) -> int:
        """Number of units that send positive weights alone."""
        return int((self.signs == 1).sum())

    @property
    def inhibitory(self) -> int:
        """Number of units that send negative weights alone."""
        return int((self.signs == -1).sum())

    @property
    def balance(self) -> np.ndarray:
        """Excitation over inhibition of each unit (unit,); NaN for one without inhibition."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.excitation / self.inhibition
        return np.where(
            self.inhibition > 0,
            ratio,
            np.nan,
        )


@dataclass(frozen=True, repr=False)
class Audit(Result):
    """The audit of one network or several.

    Attributes
    ----------
    entries : tuple of NetworkAudit
        An entry a network, or one for each of its layers.
    """

    entries: tuple[NetworkAudit, ...]

    @property
    def violations(self) -> int:
        """How many weights break a rule of their model, over all networks."""
        return sum(entry.violations for entry in self.entries)

    @property
    def statement(self) -> str:
        """What was checked, and what was found, in words."""
        who = self._who()
        radius = _range([entry.radius for entry in self.entries])
        rest = f"{self._density()}, spectral radius {radius}. {self._signs()}"
        asked = [kind for kind in KINDS if self._is_asked(kind)]
        if not asked:
            return f"The model of {who} has no constraints. {rest}"
        kept = []
        broken = []
        for kind in asked:
            count = self._count(kind)
            if count:
                broken.append(f"{WORDS[kind]} ({count} weights)")
            else:
                kept.append(WORDS[kind])
        words = []
        if kept:
            words.append(f"kept {', '.join(kept)}")
        if broken:
            words.append(f"broken {', '.join(broken)}")
        return f"By {who}: {'; '.join(words)}. {rest}"

    def _who(self) -> str:
        nets = {entry.net for entry in self.entries}
        return "one network" if len(nets) == 1 else f"{len(nets)} networks"

    def _is_asked(self, kind: str) -> bool:
        """Does the model of one of the networks have this rule?"""
        return any(kind in entry.broken for entry in self.entries)

    def _density(self) -> str:
        """Of which weights it is the density: both, where they differ."""
        whole = [entry.density for entry in self.entries]
        allowed = [entry.density_allowed for entry in self.entries]
        words = f"Density {_range(whole)} of all N² weights"
        if whole != allowed:
            words += f", {_range(allowed)} of those that may be there"
        return words

    def _signs(self) -> str:
        """The signs of the units as their weights have them."""
        excitatory = _range([entry.excitatory for entry in self.entries], "d")
        inhibitory = _range([entry.inhibitory for entry in self.entries], "d")
        mixed = _range([entry.mixed_columns for entry in self.entries], "d")
        if any(entry.mixed_columns for entry in self.entries):
            dale = "Dale's law does not hold"
        else:
            dale = "Dale's law holds"
        return (
            f"By the weights that they send, {excitatory} units excite, {inhibitory} inhibit, "
            f"{mixed} do both: {dale}."
        )

    def table(self) -> pd.DataFrame:
        """What was counted and measured, a row for each entry.

        Returns
        -------
        DataFrame
            NaN where the model has no such rule.
        """
        layered = any(entry.layer is not None for entry in self.entries)
        return pd.DataFrame([_row(entry, layered) for entry in self.entries])

    def _count(self, kind: str) -> int:
        return sum(entry.broken.get(kind, 0) for entry in self.entries)


def _row(
    entry: NetworkAudit,
    layered: bool,
) -> dict[str, float]:
    row: dict[str, float] = {"net": entry.net}
    if layered:
        row["layer"] = entry.layer or 0
    row["violations"] = entry.violations
    for kind in KINDS:
        row[f"broken_{kind}"] = entry.broken.get(kind, np.nan)
    finite = entry.balance[~np.isnan(entry.balance)]
    row |= {
        "excitatory": entry.excitatory,
        "inhibitory": entry.inhibitory,
        "mixed_columns": entry.mixed_columns,
        "silent_rows": entry.silent_rows,
        "self_connections": entry.self_connections,
        "density": entry.density,
        "density_allowed": entry.density_allowed,
        "excitation": entry.excitation.mean(),
        "inhibition": entry.inhibition.mean(),
        "balance_mean": finite.mean() if len(finite) else np.nan,
        "balance_std": finite.std() if len(finite) else np.nan,
        "radius": entry.radius,
    }
    return row


@takes()
@one_blas_thread
def audit(networks: Network | Sequence[Network] | Run) -> Audit:
    """Measure on the weights whether they obey the constraints of their model, and how they are.

    Parameters
    ----------
    networks : Network, sequence of Network, or Run
        One network, several, or all those of a run.

    Returns
    -------
    Audit
        An entry for each matrix of recurrent weights.

    Raises
    ------
    InvalidSetting
        For a model without a square matrix of recurrent weights.

    Notes
    -----
    Counts come from the weights and the mask kept with them, not from how training went. A run's
    fixed weights are compared with the initial ones, drawn again from its seed. Gated cells have no
    constraints and no single matrix; of a stack, every layer that has one is an entry.
    """
    begun = _initial_weights(networks) if isinstance(networks, Run) else None
    entries: list[NetworkAudit] = []
    for net, network in enumerate(networks_of(networks)):
        initial = None if begun is None else begun[net]
        entries += _entries(net, network, initial)
    return Audit(tuple(entries))


def _entries(
    net: int,
    network: Network,
    begun: dict[str, np.ndarray] | None,
) -> list[NetworkAudit]:
    found = []
    for part in network.model.parts():
        weights = _as_arrays(part.own(network.weights))
        square = part.cell.square_recurrent_weights(weights)
        if square is None:
            continue
        matrix = np.asarray(square, np.float64)
        constraints = part.cell.weight_constraints
        broken = {}
        if constraints is not None:
            broken = broken_rules(constraints, matrix, weights)
            if FIXED in weights and begun is not None:
                initial = part.own(begun)["recurrent_weights"]
                broken["fixed"] = moved_weights(matrix, initial, weights)
        measured = _measured(net, matrix, constraints)
        found.append(replace(measured, layer=part.layer, broken=broken))
    if not found:
        raise InvalidSetting(
            f"networks: {type(network.model).__name__} has no square matrix of recurrent weights "
            "to audit"
        )
    return found


def _as_arrays(weights: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(array) for name, array in weights.items()}


def _measured(
    net: int,
    matrix: np.ndarray,
    constraints: Constraints | None,
) -> NetworkAudit:
    """What the matrix is like."""
    there = matrix != 0
    blocks = None
    allowed = np.ones_like(there)
    if constraints is not None:
        allowed = constraints.allowed(len(matrix))
        if constraints.areas is not None:
            blocks = _block_density(there, constraints.area_of(len(matrix)))
    without_input = ~there.any(1)
    eigenvalues = np.linalg.eigvals(matrix)
    return NetworkAudit(
        net=net,
        layer=None,
        broken={},
        signs=_column_signs(matrix),
        silent_rows=int(without_input.sum()),
        self_connections=int(np.diag(there).sum()),
        density=float(there.mean()),
        density_allowed=float(there[allowed].mean()) if allowed.any() else 0.0,
        excitation=np.maximum(matrix, 0).sum(1),
        inhibition=-np.minimum(matrix, 0).sum(1),
        block_density=blocks,
        radius=float(np.abs(eigenvalues).max()),
    )


def _block_density(
    there: np.ndarray,
    area: np.ndarray,
) -> np.ndarray:
    """Density of the connections (area, area), [to, from], of units in these areas (unit,)."""
    areas = np.unique(area)
    densities = np.empty((len(areas), len(areas)))
    for i, to in enumerate(areas):
        for j, source in enumerate(areas):
            block = there[np.ix_(area == to, area == source)]
            densities[i, j] = block.mean()
    return densities


def _column_signs(matrix: np.ndarray) -> np.ndarray:
    """(unit,): 1, -1, 0 where all is 0, NaN where both signs are."""
    positive = (matrix > 0).any(0)
    negative = (matrix < 0).any(0)
    signs = positive.astype(float) - negative
    signs[positive & negative] = np.nan
    return signs


def _initial_weights(run: Run) -> list[dict[str, np.ndarray]] | None:
    """The initial weights of each network, where a model of the run has fixed ones to compare."""
    names = list(run.networks[0].weights)
    has_fixed = any(FIXED in name for name in names)
    # of given first weights no more is known than a checksum
    if run.rule is None or run.start is not None or not has_fixed:
        return None
    from attractory.training import Population  # other audits need no training

    nets = len(run.networks)
    population = Population(
        run.task,
        run.model,
        run.rule,
        nets,
        run.seed,
    )
    stacked = population.initial_state().weights
    initial = []
    for net in range(nets):
        own = {name: array[net] for name, array in stacked.items()}
        initial.append(_as_arrays(own))
    return initial


def _range(values: list[Any], form: str = ".3g") -> str:
    low = format(min(values), form)
    high = format(max(values), form)
    return low if low == high else f"{low} to {high}"
