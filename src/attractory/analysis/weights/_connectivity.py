"""Statistics of the recurrent weights, and the matrix that they are of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from attractory._arguments import takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._result import Result
from attractory.analysis.dynamics._model_step import in_float64
from attractory.models import Network, one_network
from attractory.runs import kept


@dataclass(frozen=True, repr=False)
class Connectivity(Result):
    """Recurrent weights in float64, and what they are like.

    Attributes
    ----------
    weights : array (unit, unit)
        The recurrent weights as [to, from].
    mean, std, skewness, excess_kurtosis, minimum, maximum : float
        Of all weights.
    density : float
        Share of weights that are not 0.
    excitatory : float
        Share of the non-zero weights that are positive.
    balance : float
        Sum of positive weights over sum of absolute inhibitory ones (1: balanced).
    dale_violations : int
        Number of columns (presynaptic units) with weights of both signs.
    self_connections : int
        Number of non-zero weights on the diagonal.
    self_mean, self_std : float
        Mean and standard deviation of these.
    frobenius_norm, spectral_norm : float
        Norms of the matrix.
    reciprocity : float
        Correlation of W_ij with W_ji over all i != j (1: symmetric, -1: antisymmetric).
    signs : array (unit,) or None
        1 or -1 where the model obeys Dale's law, else None.
    areas : tuple of int or None
        The number of units in each area where the model has areas, in the order of the units, else
        None.
    gate : str or None
        The gate of a gated cell that the matrix belongs to, else None.
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
        """The numbers without the matrix.

        Returns
        -------
        dict of float
            The fields that are numbers, by name.
        """
        others = ("weights", "signs", "areas", "gate")
        return {name: value for name, value in vars(self).items() if name not in others}


@kept
@takes(network=one_network)
def connectivity(
    network: Network,
    gate: str | None = None,
) -> Connectivity:
    """Statistics of a network's recurrent weights.

    Parameters
    ----------
    network : Network
        A network with one matrix of recurrent weights, or gates with one each.
    gate : str, optional
        Of a gated cell the gate that is looked at, the candidate when None: "reset", "update",
        "candidate" of a GRU, "input", "forget", "candidate", "output" of an LSTM.

    Returns
    -------
    Connectivity
        The matrix and its statistics.

    Raises
    ------
    InvalidSetting
        For a model without one matrix of recurrent weights (layers, some cells of your own), or an
        unknown gate.

    References
    ----------
    Jarne (2024), Front. Syst. Neurosci. 18:1269190, section 5.2.
    """
    weights, gate = _matrix(network, gate)
    constraints = network.model.weight_constraints
    signs = None
    areas = None
    if constraints is not None:
        signs = constraints.column_signs(len(weights))
        areas = constraints.areas
    values = weights.ravel()
    positive = values[values > 0]
    negative = values[values < 0]
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
        signs=signs,
        areas=areas,
        gate=gate,
    )


def _matrix(
    network: Network,
    gate: str | None,
) -> tuple[np.ndarray, str | None]:
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
    first = index * network.units
    return weights[first : first + network.units], gate


def _reciprocity(weights: np.ndarray) -> float:
    upper = np.triu_indices(len(weights), 1)
    there = weights[upper]
    back = weights.T[upper]
    both = np.append(there, back)
    turned = np.append(back, there)
    if not len(both) or both.std() == 0:
        return 1.0
    correlations = np.corrcoef(both, turned)
    return float(correlations[0, 1])
