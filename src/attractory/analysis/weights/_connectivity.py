"""Statistics of the recurrent weights, and the matrix that they are of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from attractory._errors import InvalidSetting, nearest, shown
from attractory._result import Result
from attractory.analysis.dynamics._model_step import in_float64
from attractory.models import Network
from attractory.runs import kept


@dataclass(frozen=True, repr=False)
class Connectivity(Result):
    """Recurrent weights (unit, unit) as [to, from], in float64, and what they are like.

    mean, std, skewness, excess_kurtosis, minimum, maximum: of all weights.
    density: share of weights that are not 0.
    excitatory: share of the non-zero weights that are positive.
    balance: sum of positive weights over sum of absolute inhibitory ones (1: balanced).
    dale_violations: number of columns (presynaptic units) with weights of both signs.
    self_connections: number of non-zero weights on the diagonal; self_mean, self_std: of these.
    frobenius_norm, spectral_norm: norms of the matrix.
    reciprocity: correlation of W_ij with W_ji over all i != j (1: symmetric, -1: antisymmetric).
    signs (unit,): 1 or -1 where the model obeys Dale's law, else None. areas: the number of units
    in each area where the model has areas, in the order of the units, else None. gate: the gate of
    a gated cell that the matrix belongs to, else None.
    """

    weights: np.ndarray
    mean: float
    std: float
    skewness: float
    excess_kurtosis: float
    minimum: float
    maximum: float
    density: float
    excitatory: float
    balance: float
    dale_violations: int
    self_connections: int
    self_mean: float
    self_std: float
    frobenius_norm: float
    spectral_norm: float
    reciprocity: float
    signs: np.ndarray | None = None
    areas: tuple[int, ...] | None = None
    gate: str | None = None

    def summary(self) -> dict[str, float]:
        """The numbers without the matrix."""
        others = ("weights", "signs", "areas", "gate")
        return {name: value for name, value in vars(self).items() if name not in others}


@kept
def connectivity(network: Network, gate: str | None = None) -> Connectivity:
    """Statistics of a network's recurrent weights (Jarne 2024, section 5.2).

    Of a gated cell they are those of one gate, the candidate unless another is named: "reset",
    "update", "candidate" of a GRU, "input", "forget", "candidate", "output" of an LSTM. Raises
    InvalidSetting for a model without one matrix of recurrent weights (layers, some cells of your
    own), or an unknown gate.
    """
    weights, gate = _matrix(network, gate)
    constraints = network.model.weight_constraints
    values = weights.ravel()
    positive, negative = values[values > 0], values[values < 0]
    both_signs = (weights > 0).any(0) & (weights < 0).any(0)
    diagonal = np.diag(weights)
    diagonal = diagonal[diagonal != 0]
    spread = values.std()
    return Connectivity(
        weights=weights,
        mean=float(values.mean()),
        std=float(spread),
        skewness=float(stats.skew(values)) if spread else 0.0,
        excess_kurtosis=float(stats.kurtosis(values)) if spread else 0.0,
        minimum=float(values.min()),
        maximum=float(values.max()),
        density=float(np.mean(values != 0)),
        excitatory=len(positive) / max(1, len(positive) + len(negative)),
        balance=float(positive.sum() / -negative.sum()) if len(negative) else float("inf"),
        dale_violations=int(both_signs.sum()),
        self_connections=len(diagonal),
        self_mean=float(diagonal.mean()) if len(diagonal) else 0.0,
        self_std=float(diagonal.std()) if len(diagonal) else 0.0,
        frobenius_norm=float(np.linalg.norm(weights)),
        spectral_norm=float(np.linalg.norm(weights, 2)),
        reciprocity=_reciprocity(weights),
        signs=None if constraints is None else constraints.column_signs(len(weights)),
        areas=None if constraints is None else constraints.areas,
        gate=gate,
    )


def _matrix(network: Network, gate: str | None) -> tuple[np.ndarray, str | None]:
    """The matrix (unit, unit) in float64, and the gate that it belongs to."""
    weights = network.model.recurrent_weights(in_float64(network))
    gates = network.model.gates
    if not gates:
        if gate is not None:
            raise InvalidSetting(f"gate = {shown(gate)} is not allowed: this model has no gates")
        if weights.shape != (network.units, network.units):
            raise InvalidSetting(
                f"recurrent_weights has shape {weights.shape}; a square matrix "
                f"{(network.units, network.units)} is needed"
            )
        return weights, None
    gate = "candidate" if gate is None else gate
    if gate not in gates:
        raise InvalidSetting(f"gate = {shown(gate)} is unknown; {nearest(gate, gates)}")
    index = gates.index(gate)
    return weights[index * network.units : (index + 1) * network.units], gate


def _reciprocity(weights: np.ndarray) -> float:
    upper = np.triu_indices(len(weights), 1)
    there, back = weights[upper], weights.T[upper]
    both = np.append(there, back)
    if not len(both) or both.std() == 0:
        return 1.0
    return float(np.corrcoef(both, np.append(back, there))[0, 1])
