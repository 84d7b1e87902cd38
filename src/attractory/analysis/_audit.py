"""Do the weights obey their constraints? Counted on the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from attractory._errors import InvalidSetting
from attractory._machine import one_blas_thread
from attractory.analysis._connectivity import constraints_of
from attractory.models import Constraints, Model, Network, Stacked
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


@dataclass(frozen=True)
class NetworkAudit:
    """What is so of one matrix of recurrent weights W (unit, unit), [to, from].

    net: index of the network; layer: of a stack, from 1, else None.
    broken: number of weights that break each rule which the model has: "dale" (weights of the
        wrong sign for their column), "mask" (weights other than 0 where there is no connection, the
        diagonal among them where there are no self-connections), "bounds", "fixed" (fixed weights
        that moved; of runs that were trained here alone), "inputs" (input weights of units outside
        of the input areas), "outputs" (readout weights of units outside of the output areas, or
        inhibitory, or negative, where excitatory units alone are read out).
    mixed_columns: number of units whose weights have both signs, whatever the model asks for.
    self_connections: number of weights on the diagonal other than 0.
    density: share of the weights that are not 0.
    excitation, inhibition (unit,): sums of the positive weights, and of the sizes of the negative
        ones, to each unit.
    block_density (area, area): density of the connections between areas, [to, from]; None without.
    radius: spectral radius.
    """

    net: int
    layer: int | None
    broken: dict[str, int]
    mixed_columns: int
    self_connections: int
    density: float
    excitation: np.ndarray = field(repr=False)
    inhibition: np.ndarray = field(repr=False)
    block_density: np.ndarray | None
    radius: float

    @property
    def violations(self) -> int:
        """How many weights break a rule, over all rules."""
        return sum(self.broken.values())

    @property
    def balance(self) -> np.ndarray:
        """Excitation over inhibition of each unit (unit,); NaN for one without inhibition."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.inhibition > 0, self.excitation / self.inhibition, np.nan)


@dataclass(frozen=True)
class Audit:
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
        density = [entry.density for entry in self.entries]
        radius = [entry.radius for entry in self.entries]
        rest = f"Density {_range(density)}, spectral radius {_range(radius)}."
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
                    "mixed_columns": entry.mixed_columns,
                    "self_connections": entry.self_connections,
                    "density": entry.density,
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
    for layer, model, prefix in _layers(network.model):
        weights = _own(network.weights, prefix)
        square = model.square_recurrent_weights(weights)
        if square is None:
            continue
        matrix = np.asarray(square, np.float64)
        rules = constraints_of(model)
        broken = {} if rules is None else _broken(rules, matrix, weights)
        if rules is not None and FIXED in weights and begun is not None:
            moved = matrix != np.asarray(_own(begun, prefix)["recurrent_weights"], np.float64)
            broken["fixed"] = int((moved & (weights[FIXED] > 0)).sum())
        found.append(replace(_measured(net, matrix, rules), layer=layer, broken=broken))
    if not found:
        raise InvalidSetting(
            f"networks: {type(network.model).__name__} has no square matrix of recurrent weights "
            "to audit"
        )
    return found


def _layers(model: Model) -> Iterator[tuple[int | None, Model, str]]:
    """Each cell of a model: its layer (from 1, or None), and what its weights' names begin with."""
    if isinstance(model, Stacked):
        for i, layer in enumerate(model.layers, 1):
            yield i, layer, f"layer_{i}."
    else:
        yield None, model, ""


def _own(weights: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    own = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
    return {name: np.asarray(array) for name, array in own.items()}


def _broken(
    rules: Constraints, matrix: np.ndarray, weights: dict[str, np.ndarray]
) -> dict[str, int]:
    """How many weights break each rule that there is."""
    units, broken = len(matrix), {}
    signs = rules.column_signs(units)
    if signs is not None:
        broken["dale"] = int((matrix * signs < 0).sum())
    if rules.has_zeros:
        there = rules.allowed(units)
        if MASK in weights:
            there &= weights[MASK] > 0
        broken["mask"] = int((matrix[~there] != 0).sum())
    if rules.low is not None or rules.high is not None:
        broken["bounds"] = _out_of_bounds(rules, matrix, weights)
    area = rules.area_of(units)
    if rules.input_areas is not None:
        outside = ~np.isin(area, rules.input_areas)
        broken["inputs"] = int((weights["input_weights"][outside] != 0).sum())
    readout = weights.get("output_weights")
    if readout is not None and (rules.output_areas is not None or rules.excitatory_readout):
        wrong = np.zeros(readout.shape, bool)
        if rules.output_areas is not None:
            wrong |= (readout != 0) & ~np.isin(area, rules.output_areas)
        if rules.excitatory_readout and signs is not None:
            wrong |= (readout < 0) | ((readout != 0) & (signs < 0))
        broken["outputs"] = int(wrong.sum())
    return broken


def _out_of_bounds(rules: Constraints, matrix: np.ndarray, weights: dict[str, np.ndarray]) -> int:
    """Weights beyond the bounds, as float32 has them; what is fixed or 0 by a mask may be."""
    low = -np.inf if rules.low is None else float(np.float32(rules.low))
    high = np.inf if rules.high is None else float(np.float32(rules.high))
    beyond = (matrix < low) | (matrix > high)
    if FIXED in weights:
        beyond &= ~(weights[FIXED] > 0)
    return int(beyond.sum())


def _measured(net: int, matrix: np.ndarray, rules: Constraints | None) -> NetworkAudit:
    """What the matrix is like."""
    blocks = None
    if rules is not None and rules.areas is not None:
        area = rules.area_of(len(matrix))
        there = matrix != 0
        blocks = np.array(
            [
                [there[np.ix_(area == to, area == source)].mean() for source in np.unique(area)]
                for to in np.unique(area)
            ]
        )
    return NetworkAudit(
        net=net,
        layer=None,
        broken={},
        mixed_columns=int(((matrix > 0).any(0) & (matrix < 0).any(0)).sum()),
        self_connections=int((np.diag(matrix) != 0).sum()),
        density=float(np.mean(matrix != 0)),
        excitation=np.maximum(matrix, 0).sum(1),
        inhibition=-np.minimum(matrix, 0).sum(1),
        block_density=blocks,
        radius=float(np.abs(np.linalg.eigvals(matrix)).max()),
    )


def _initial_weights(run: Run) -> list[dict[str, np.ndarray]] | None:
    """The initial weights of each network, where a model of the run has fixed ones to compare."""
    if run.rule is None or not any(FIXED in name for name in run.networks[0].weights):
        return None
    from attractory.training import Population  # other audits need no training

    nets = len(run.networks)
    stacked = Population(run.task, run.model, run.rule, nets, run.seed).initial_state().weights
    return [{name: np.asarray(w[net]) for name, w in stacked.items()} for net in range(nets)]


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
