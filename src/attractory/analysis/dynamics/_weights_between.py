"""The maps on the straight line between the weights of two networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._step import AnyStep, CurrentStep, RateStep, Step

WEIGHTS = ("recurrent", "input_weights", "bias", "output_weights", "output_bias")
REAL = 1e-9  # of an eigenvalue: so small an imaginary part is of rounding
FACTS = ("leak", "dt", "activation", "inputs")  # in which both must agree


@dataclass(frozen=True, eq=False)
class WeightsBetween:
    """Networks with weights (1 - s) · before + s · after, s from 0 to 1, as their rate forms.

    Of networks of currents the rates are followed: they have the same fixed points, and there are
    the proofs.
    """

    before: RateStep | CurrentStep
    after: RateStep | CurrentStep
    maximum: float = 1.0

    @classmethod
    def of(cls, before: FixedPoints, after: FixedPoints) -> WeightsBetween:
        """Those between two lists of points; InvalidSetting where there is no such line."""
        one, other = _followable("before", before.step), _followable("after", after.step)
        _check_alike(one, other)
        return cls(one, other)

    def at(self, parameter: float) -> RateStep:
        before, after = _rates(self.before), _rates(self.after)

        def between(name: str) -> np.ndarray:
            return _between(getattr(before, name), getattr(after, name), parameter)

        return replace(
            before,
            recurrent=between("recurrent"),
            input_weights=between("input_weights"),
            bias=between("bias"),
            output_weights=between("output_weights"),
            output_bias=between("output_bias"),
        )

    def growth(self, step: Step, state: np.ndarray, parameter: float) -> np.ndarray:
        assert isinstance(step, RateStep)  # it is that of `at`
        recurrent, constant = self._change
        slopes = step.activation.slope(step.drive(state))
        return step.leak * slopes * (recurrent @ state + constant)

    @cached_property
    def _change(self) -> tuple[np.ndarray, np.ndarray]:
        """Of W and of c, from s = 0 to s = 1."""
        before, after = _rates(self.before), _rates(self.after)
        return after.recurrent - before.recurrent, after.constant - before.constant

    @property
    def odd(self) -> bool:
        """Whether the fixed points of all of them come in pairs h, -h."""
        return _rates(self.before).odd and _rates(self.after).odd

    @cached_property
    def pitchforks(self) -> np.ndarray:
        """The shares from 0 to 1 at which an eigenvalue at the origin is 1, where all maps are odd.

        DF(0) goes along a straight line, too: (I - DF_0) v = s (DF_1 - DF_0) v.
        """
        origin = np.zeros((1, self.at(0.0).units))
        first, last = (self.at(share).jacobians(origin)[0] for share in (0.0, 1.0))
        try:
            solved = np.linalg.solve(np.eye(len(first)) - first, last - first)
        except np.linalg.LinAlgError:  # at the very beginning
            return np.zeros(0)
        inverse = np.linalg.eigvals(solved)
        real = inverse.real[(np.abs(inverse.imag) <= REAL * np.abs(inverse)) & (inverse.real >= 1)]
        return np.sort(1 / real)

    def read(self, rates: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fixed points (place, unit) at their shares as the network itself has them, and their
        readout (place, output)."""
        states, outputs = [], []
        for place, share in zip(rates, shares.tolist(), strict=True):
            step = self._own_at(share)
            states.append(step.of_rates(place) if isinstance(step, CurrentStep) else place)
            outputs.append(step.outputs(states[-1]))
        return np.array(states), np.array(outputs)

    def _own_at(self, share: float) -> RateStep | CurrentStep:
        rates = self.at(share)
        if isinstance(self.before, CurrentStep) and isinstance(self.after, CurrentStep):
            shift = _between(self.before.shift, self.after.shift, share)
            return replace(self.before, rates=rates, shift=shift)
        return rates


def as_rates(points: FixedPoints) -> np.ndarray:
    """The points (point, unit) as the network's rate form has them."""
    step = points.step
    return step.sent(points.states) if isinstance(step, CurrentStep) else points.states


def _rates(step: RateStep | CurrentStep) -> RateStep:
    return step.rates if isinstance(step, CurrentStep) else step


def _between(before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray:
    return (1.0 - share) * before + share * after


def _followable(name: str, step: AnyStep) -> RateStep | CurrentStep:
    if not isinstance(step, (RateStep, CurrentStep)):
        raise InvalidSetting(
            f"{name}: its network has no rate form; fixed points are followed through weights of "
            "networks of rates and of currents"
        )
    return step


def _check_alike(before: RateStep | CurrentStep, after: RateStep | CurrentStep) -> None:
    if type(before) is not type(after):
        raise InvalidSetting("after: one network is of rates, one of currents; they must be alike")
    one, other = _rates(before), _rates(after)
    for name in WEIGHTS:
        shape, wanted = getattr(other, name).shape, getattr(one, name).shape
        if shape != wanted:
            raise InvalidSetting(f"after: its {name} has shape {shape}; it must be {wanted}")
    for name in FACTS:
        value, wanted = getattr(other, name), getattr(one, name)
        if not np.all(value == wanted):
            raise InvalidSetting(
                f"after: its {name} is {shown(value)}; it must be {shown(wanted)}, as before"
            )
