"""Do the weights obey their constraints? Counted on the weights themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.models import Constraints, Network
from attractory.runs import Run

MASK, FIXED = "recurrent_mask", "recurrent_fixed"  # names among the weights
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

    net: index of the network; layer: of a stack, from 1, else None.
    broken: number of weights that break each rule which the model has: "dale" (weights of the
        wrong sign for their column), "mask" (weights other than 0 where there is no connection, the
        diagonal among them where there are no self-connections), "bounds", "fixed" (fixed weights
        that moved; of runs that were trained here alone), "inputs" (input weights of units outside
        of the input areas), "outputs" (readout weights of units outside of the output areas, or
        inhibitory, or negative, where excitatory units alone are read out).
    signs (unit,): what each unit is by the weights that it sends, whatever the model asks for: 1
        excitatory, -1 inhibitory, 0 where it sends nothing; NaN where it sends weights of both
        signs. mixed_columns: number of these.
    silent_rows: number of units that get nothing from any unit.
    self_connections: number of weights on the diagonal other than 0.
    density: share of all N² weights that are not 0. density_allowed: share of those that may be
        there by the model's constraints (not between areas that are not connected, not outside of
        a `mask`, not on the diagonal where there are no self-connections) that are not 0.
    excitation, inhibition (unit,): sums of the positive weights, and of the sizes of the negative
        ones, to each unit.
    block_density (area, area): density of the connections between areas, [to, from]; None without.
    radius: spectral radius.
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
            return np.where(self.inhibition > 0, self.excitation / self.inhibition, np.nan)


@dataclass(frozen=True, repr=False)
class Audit(Result):
    """The audit of one network or several: an entry a network, or one for each of its layers."""

    entries: tuple[NetworkAudit, ...]

    @property
    def violations(self) -> int:
        """How many weights break a rule of their model, over all networks."""
        return sum(entry.violations for entry in self.entries)

    @property
    def statement(self) -> str:
        """What was checked, and what was found, in words."""
        asked = [kind for kind in KINDS if any(kind in entry.broken for entry in self.entries)]
        nets = len({entry.net for entry in self.entries})
        who = "one network" if nets == 1 else f"{nets} networks"
        radius = [entry.radius for entry in self.entries]
        rest = f"{self._density()}, spectral radius {_range(radius)}. {self._signs()}"
        if not asked:
            return f"The model of {who} has no constraints. {rest}"
        kept = [WORDS[kind] for kind in asked if not self._count(kind)]
        lost = [
            f"{WORDS[kind]} ({self._count(kind)} weights)" for kind in asked if self._count(kind)
        ]
        words = [f"kept {', '.join(kept)}"] * bool(kept) + [f"broken {', '.join(lost)}"] * bool(
            lost
        )
        return f"By {who}: {'; '.join(words)}. {rest}"

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
        counts = [
            _range([getattr(entry, name) for entry in self.entries], "d")
            for name in ("excitatory", "inhibitory", "mixed_columns")
        ]
        if any(entry.mixed_columns for entry in self.entries):
            dale = "Dale's law does not hold"
        else:
            dale = "Dale's law holds"
        return (
            f"By the weights that they send, {counts[0]} units excite, {counts[1]} inhibit, "
            f"{counts[2]} do both: {dale}."
        )

    def table(self) -> pd.DataFrame:
        """A row for each entry; NaN where the model has no such rule."""
        rows = []
        for entry in self.entries:
            finite = entry.balance[~np.isnan(entry.balance)]
            row = {"net": entry.net}
            if any(each.layer is not None for each in self.entries):
                row["layer"] = entry.layer or 0
            broken = {f"broken_{kind}": entry.broken.get(kind, np.nan) for kind in KINDS}
            rows.append(
                {
                    **row,
                    "violations": entry.violations,
                    **broken,
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
            )
        return pd.DataFrame(rows)

    def _count(self, kind: str) -> int:
        return sum(entry.broken.get(kind, 0) for entry in self.entries)


@one_blas_thread
def audit(networks: Network | Run) -> Audit:
    """Measure on the weights whether they obey the constraints of their model, and how they are.

    Counts come from the weights and the mask kept with them, not from how training went. A run's
    fixed weights are compared with the initial ones, drawn again from its seed. Gated cells have no
    constraints and no single matrix; of a stack, every layer that has one is an entry. Raises
    InvalidSetting for a model without a square matrix of recurrent weights.
    """
    if isinstance(networks, Network):
        return Audit(tuple(_entries(0, networks, None)))
    if not isinstance(networks, Run):
        raise InvalidSetting(
            f"networks is of type {type(networks).__name__}; a Network or a Run is needed"
        )
    begun = _initial_weights(networks)
    entries: list[NetworkAudit] = []
    for net, network in enumerate(networks.networks):
        entries += _entries(net, network, None if begun is None else begun[net])
    return Audit(tuple(entries))


def _entries(net: int, network: Network, begun: dict[str, np.ndarray] | None) -> list[NetworkAudit]:
    found = []
    for part in network.model.parts():
        weights = {name: np.asarray(array) for name, array in part.own(network.weights).items()}
        square = part.cell.square_recurrent_weights(weights)
        if square is None:
            continue
        matrix = np.asarray(square, np.float64)
        constraints = part.cell.weight_constraints
        broken = {} if constraints is None else _broken(constraints, matrix, weights)
        if constraints is not None and FIXED in weights and begun is not None:
            moved = matrix != np.asarray(part.own(begun)["recurrent_weights"], np.float64)
            broken["fixed"] = int((moved & (weights[FIXED] > 0)).sum())
        found.append(replace(_measured(net, matrix, constraints), layer=part.layer, broken=broken))
    if not found:
        raise InvalidSetting(
            f"networks: {type(network.model).__name__} has no square matrix of recurrent weights "
            "to audit"
        )
    return found


def _broken(
    constraints: Constraints, matrix: np.ndarray, weights: dict[str, np.ndarray]
) -> dict[str, int]:
    """How many weights break each rule that there is."""
    units, broken = len(matrix), {}
    signs = constraints.column_signs(units)
    if signs is not None:
        broken["dale"] = int((matrix * signs < 0).sum())
    if constraints.has_zeros:
        there = constraints.allowed(units)
        if MASK in weights:
            there &= weights[MASK] > 0
        broken["mask"] = int((matrix[~there] != 0).sum())
    if constraints.low is not None or constraints.high is not None:
        broken["bounds"] = _out_of_bounds(constraints, matrix, weights)
    area = constraints.area_of(units)
    if constraints.input_areas is not None:
        outside = ~np.isin(area, constraints.input_areas)
        broken["inputs"] = int((weights["input_weights"][outside] != 0).sum())
    readout = weights.get("output_weights")
    if readout is not None and (
        constraints.output_areas is not None or constraints.excitatory_readout
    ):
        wrong = np.zeros(readout.shape, bool)
        if constraints.output_areas is not None:
            wrong |= (readout != 0) & ~np.isin(area, constraints.output_areas)
        if constraints.excitatory_readout and signs is not None:
            wrong |= (readout < 0) | ((readout != 0) & (signs < 0))
        broken["outputs"] = int(wrong.sum())
    return broken


def _out_of_bounds(
    constraints: Constraints, matrix: np.ndarray, weights: dict[str, np.ndarray]
) -> int:
    """Weights beyond the bounds, as float32 has them; what is fixed or 0 by a mask may be."""
    low = -np.inf if constraints.low is None else float(np.float32(constraints.low))
    high = np.inf if constraints.high is None else float(np.float32(constraints.high))
    beyond = (matrix < low) | (matrix > high)
    if FIXED in weights:
        beyond &= ~(weights[FIXED] > 0)
    return int(beyond.sum())


def _measured(net: int, matrix: np.ndarray, constraints: Constraints | None) -> NetworkAudit:
    """What the matrix is like."""
    blocks = None
    if constraints is not None and constraints.areas is not None:
        area = constraints.area_of(len(matrix))
        there = matrix != 0
        blocks = np.array(
            [
                [there[np.ix_(area == to, area == source)].mean() for source in np.unique(area)]
                for to in np.unique(area)
            ]
        )
    there = matrix != 0
    allowed = np.ones_like(there) if constraints is None else constraints.allowed(len(matrix))
    return NetworkAudit(
        net=net,
        layer=None,
        broken={},
        signs=_column_signs(matrix),
        silent_rows=int((~there.any(1)).sum()),
        self_connections=int(np.diag(there).sum()),
        density=float(there.mean()),
        density_allowed=float(there[allowed].mean()) if allowed.any() else 0.0,
        excitation=np.maximum(matrix, 0).sum(1),
        inhibition=-np.minimum(matrix, 0).sum(1),
        block_density=blocks,
        radius=float(np.abs(np.linalg.eigvals(matrix)).max()),
    )


def _column_signs(matrix: np.ndarray) -> np.ndarray:
    """(unit,): 1, -1, 0 where all is 0, NaN where both signs are."""
    positive, negative = (matrix > 0).any(0), (matrix < 0).any(0)
    signs = positive.astype(float) - negative
    signs[positive & negative] = np.nan
    return signs


def _initial_weights(run: Run) -> list[dict[str, np.ndarray]] | None:
    """The initial weights of each network, where a model of the run has fixed ones to compare."""
    if run.rule is None or not any(FIXED in name for name in run.networks[0].weights):
        return None
    from attractory.training import Population  # other audits need no training

    nets = len(run.networks)
    stacked = Population(run.task, run.model, run.rule, nets, run.seed).initial_state().weights
    return [{name: np.asarray(w[net]) for name, w in stacked.items()} for net in range(nets)]


def _range(values: list[Any], form: str = ".3g") -> str:
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"
