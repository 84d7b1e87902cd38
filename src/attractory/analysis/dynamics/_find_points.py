"""The search for all fixed points of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from attractory._arguments import as_array, optional, takes, whole
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, whole_number
from attractory.analysis._given import constant_input, network_or_step
from attractory.analysis.dynamics._certificate import NOTHING
from attractory.analysis.dynamics._completeness import completeness_of
from attractory.analysis.dynamics._deflation import MOST_UNITS, deflated_newton
from attractory.analysis.dynamics._eigenvalues import Eigenvalues, jacobian_eigenvalues
from attractory.analysis.dynamics._enumeration import enumerate_points
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._rounding import SLACK, sum_error
from attractory.analysis.dynamics._search import Point, Points, newton
from attractory.analysis.dynamics._starts import (
    Starts,
    checked_states,
    network_starts,
    plain_starts,
)
from attractory.analysis.dynamics._step import AnyStep, CurrentStep, FunctionStep, RateStep, step_of
from attractory.models import Network, check_meeting
from attractory.runs import kept
from attractory.tasks import Task, Trials, as_task_or_trials

CAP = 0.1  # longest Newton step over √units, in the size of a typical state
SLOW_STARTS = 12
DEFLATED = 64  # starts with the known points taken out
HOPELESS = 8  # times n_starts without one fixed point end a search
FEW = 64  # starts of a search whose points are all known
NO_JACOBIAN = -1  # instead of a number of unstable dimensions, on a kink
EXTENSION = 32  # times n_starts is as long as a search goes on, unless told


@kept
@one_blas_thread
@takes(
    network=network_or_step,
    inputs=optional(constant_input),
    initial_states=optional(as_array),
    task=optional(as_task_or_trials),
    units=optional(whole(1)),
)
def fixed_points(
    network: Network | Callable[[Any, Any], Any],
    inputs: Any = None,
    n_starts: int = 1024,
    seed: int = 0,
    *,
    task: Task | Trials | None = None,
    max_starts: int | None = None,
    units: int | None = None,
    initial_states: Any = None,
) -> FixedPoints:
    """All the fixed points that can be found, each with its proof where one is known.

    Parameters
    ----------
    network : Network or callable
        A network of any model, or a step(h, x) -> h written in JAX operations, h (unit,): the whole
        state, with an LSTM's memory and every layer of a stack in it.
    inputs : array (input,), optional
        The constant input; 0 when None (a step then gets x = 0).
    n_starts : int
        How many starts there are at first; half of them where the evidence says by then that
        nothing is missing (see `Completeness.complete`).
    seed : int
        Of the starts.
    task : Task or Trials, optional
        A task or trials whose trajectories the starts are taken from; without one they come from
        random pulses on the inputs. For a step(h, x) they come from `initial_states`.
    max_starts : int, optional
        While the evidence says that something is missing, the search goes on up to so many starts;
        32 times n_starts when None. max_starts = n_starts: no further search.
    units : int, optional
        The size of h for a step(h, x).
    initial_states : array (state, unit), optional
        Further starting states.

    Returns
    -------
    FixedPoints
        The points with their evidence, and what is known of the list as a whole.

    Raises
    ------
    InvalidSetting
        For sizes, numbers or weights that are not allowed.

    Notes
    -----
    Newton's method in float64 from states on trajectories, these with noise, midpoints of settled
    states, scaled copies and random states; then from around and between the points found; their
    mirror images are taken where the network is odd. Noise of the model is left out. Proofs exist
    for networks that have a rate form (`models.RateForm`: rate and current networks, of low rank
    too) with an activation whose slope is understood (all names but gelu and selu; of your own,
    where its bounds were said); elsewhere (gated cells, layers, functions) `certified` is False:
    the proof needs a bound of how fast the Jacobian changes. Fixed points are used as in Sussillo
    & Barak [1]_. The proof is Newton-Kantorovich's theorem in the form of radii polynomials
    ([2]_, [3]_).

    Memory: about 3 units² numbers a core.

    References
    ----------
    .. [1] Sussillo & Barak (2013), Neural Computation 25:626.
    .. [2] Ortega & Rheinboldt (1970), 12.6.
    .. [3] van den Berg & Lessard (2015).
    """
    most = _checked_counts(n_starts, max_starts)
    given = checked_states(initial_states, network, units)
    if given is not None:
        units = given.shape[1]
    _check_task(task, network)
    own = step_of(network, inputs, units)
    # of currents the rates are searched: they have the same points, and there are the proofs
    step = own.rates if isinstance(own, CurrentStep) else own
    if given is not None and isinstance(own, CurrentStep):
        given = own.sent(given)
    rng = np.random.default_rng(whole_number("seed", seed, least=0))
    if isinstance(step, FunctionStep):
        starts = plain_starts(step, rng, given)
    else:
        starts = network_starts(step, task, seed, rng, given)
    search = _Search(step, starts, n_starts, most, rng)
    search.run(given)
    found = _result(step, search.points, search.enclosed)
    return as_currents(found, own) if isinstance(own, CurrentStep) else found


def _check_task(task: Any, network: Any) -> None:
    if task is None:
        return
    if not isinstance(task, (Task, Trials)):
        raise InvalidSetting(f"task is of type {type(task).__name__}; a Task or Trials is needed")
    if isinstance(network, Network):
        check_meeting(network.model, task)


class _Search:
    """Newton's method from more and more starts, until nothing seems to be missing.

    enclosed: how near to the points found all are, proved (see `enumerate_points`).
    """

    def __init__(
        self,
        step: AnyStep,
        starts: Starts,
        n_starts: int,
        most: int,
        rng: np.random.Generator,
    ) -> None:
        self.step = step
        self.starts = starts
        self.n_starts = n_starts
        self.most = most
        self.rng = rng
        typical = float(np.sqrt(np.mean(starts.pool**2)))
        self.longest = CAP * np.sqrt(step.units) * max(1.0, typical)
        self.points = Points(step)
        self.enclosed = np.inf

    def run(self, given: np.ndarray | None) -> None:
        """Search, first from the states (state, unit) that were given."""
        if given is not None:
            self._add_from(given)
        if isinstance(self.step, RateStep):
            self.enclosed = enumerate_points(self.step, self.points, self.longest)
        if np.isfinite(self.enclosed):
            # all are known: starts show how many of them lead where, and where they get stuck
            few = max(1, min(FEW, self.n_starts // 2))
            self._add_from(self.starts.first(few, self.rng))
            return
        self._begin()
        while not self._ended():
            self._go_on()

    def _add_from(self, states: np.ndarray) -> None:
        ends = newton(self.step, states, self.longest)
        self.points.add(ends)

    def _begin(self) -> None:
        """The first starts, which need no point found."""
        first = max(1, self.n_starts // 2)
        self._add_from(self.starts.first(first, self.rng))
        if self.step.bounded:
            return
        # nothing keeps the points of such a map near the states that it comes through
        further = min(max(1, first // 4), self._left())
        if further > 0:
            states = self.starts.first(further, self.rng)
            self.points.add(newton(self.step, states, np.inf))

    def _left(self) -> int:
        """So many starts are left."""
        return self.most - self.points.starts

    def _ended(self) -> bool:
        if self.points.continuum or self._left() <= 0:
            return True
        evidence = completeness_of(self.points)
        if evidence.complete and not self._more_by_deflation():
            return True
        without_point = not self.points.arrived
        hopeless = without_point and self.points.starts >= HOPELESS * self.n_starts
        return self._left() <= 0 or hopeless

    def _go_on(self) -> None:
        """More starts, from around and between the points found."""
        self.starts.learn(self.points.states(), self.points.hits)
        wanted = max(64, self.n_starts // 4, self.points.starts // 4)
        number = min(wanted, self._left())
        self._add_from(self.starts.next(number, self.rng))

    def _more_by_deflation(self) -> bool:
        """Add what Newton's method finds when it cannot go to the known points; any new?"""
        before = len(self.points.all)
        number = min(DEFLATED, self._left())
        if self.step.units <= MOST_UNITS and number > 0:
            ends = deflated_newton(
                self.step,
                self.starts.first(number, self.rng),
                self.points.states(),
                self.longest,
            )
            self._add_from(ends)
        return len(self.points.all) > before


def as_currents(points: FixedPoints, step: CurrentStep) -> FixedPoints:
    """Fixed points of a rate form as those of the network of currents: x* = W r* + c.

    x* lies as near to the state as its rates do, times the largest row sum of |W|. Another point
    x' would have rates r' with |r' - r*| <= max|phi'| |x' - x*|, so it lies outside of what the
    rates rule out. Eigenvalues, their numbers beyond modulus 1 and degrees are the same.
    """
    form = step.rates
    states = step.of_rates(points.states)
    row_sums = np.abs(form.recurrent).sum(axis=1)
    largest_row = float(row_sums.max()) * SLACK
    steepest = form.activation.max_slope * SLACK
    rounding = _rounding_of_currents(points.states, step)
    with np.errstate(invalid="ignore"):  # of points without a proof the radius is infinite
        radius = (largest_row * points.radius + rounding) * SLACK
        alone = (points.unique_radius - points.radius) / steepest - radius
    certified = points.certified & (alone > radius)
    residuals = np.abs(step(states) - states)
    return replace(
        points,
        step=step,
        certified=certified,
        states=states,
        residuals=residuals.max(axis=1, initial=0.0),
        outputs=step.outputs(states),
        radius=np.where(certified, radius, NOTHING.radius),
        unique_radius=np.where(certified, alone, NOTHING.unique_radius),
        unsettled=step.of_rates(points.unsettled),
    )


def _rounding_of_currents(rates: np.ndarray, step: CurrentStep) -> np.ndarray:
    """Of W r + c, a sum of units + inputs + 2 products, at most (point,)."""
    form = step.rates
    by_units = np.abs(rates) @ np.abs(form.recurrent).T
    by_inputs = np.abs(form.input_weights) @ np.abs(form.inputs)
    terms = by_units + np.abs(step.shift)
    terms = terms + by_inputs + np.abs(form.bias)
    gamma = sum_error(step.units + len(form.inputs) + 4)
    return gamma * terms.max(axis=1, initial=0.0)


def _result(
    step: AnyStep,
    points: Points,
    enclosed: float,
) -> FixedPoints:
    found = points.all
    spectra = _spectra(step, found)
    n_unstable = np.array([spectrum.n_unstable for spectrum in spectra], int)
    kinked = np.array([point.kinked for point in found], bool)
    as_found = np.arange(len(found))
    order = np.lexsort((as_found, n_unstable, kinked))

    def column(values: list[Any], dtype: Any) -> np.ndarray:
        return np.array(values, dtype)[order]

    states = points.states()
    outputs = step.outputs(states)
    eigenvalues = column([spectrum.eigenvalues for spectrum in spectra], complex)
    proofs = [NOTHING if point.kinked else point.certificate for point in found]
    exact = [point.kinked and point.certificate.exists for point in found]
    lost = np.array(points.lost).reshape(-1, step.units)
    return FixedPoints(
        step=step,
        states=states[order],
        residuals=column([point.residual for point in found], float),
        outputs=outputs[order],
        certified=column([proof.exists for proof in proofs], bool),
        radius=column([proof.radius for proof in proofs], float),
        unique_radius=column([proof.unique_radius for proof in proofs], float),
        hits=points.hits[order],
        eigenvalues=eigenvalues.reshape(-1, step.units),
        n_unstable=n_unstable[order],
        decided=column([spectrum.decided for spectrum in spectra], bool),
        kinked=kinked[order],
        exact=column(exact, bool),
        completeness=completeness_of(points, enclosed),
        unsettled=lost[:SLOW_STARTS],
    )


def _spectra(step: AnyStep, points: list[Point]) -> list[Eigenvalues]:
    """The eigenvalues at each point; a mirror image has those of the point before it."""

    def spectrum(point: Point) -> Eigenvalues:
        if point.kinked:
            return _no_spectrum(step)
        return jacobian_eigenvalues(step, point.state, point.certificate.radius)

    own = [point for point in points if not point.mirrored]
    made = iter(spread(spectrum, own))
    spectra: list[Eigenvalues] = []
    for point in points:
        spectra.append(spectra[-1] if point.mirrored else next(made))
    return spectra


def _no_spectrum(step: AnyStep) -> Eigenvalues:
    """On a kink."""
    unknown = complex(np.nan, np.nan)
    return Eigenvalues(
        eigenvalues=np.full(step.units, unknown),
        n_unstable=NO_JACOBIAN,
        decided=False,
    )


def _checked_counts(n_starts: Any, max_starts: Any) -> int:
    first = whole_number("n_starts", n_starts)
    most = first * EXTENSION
    if max_starts is not None:
        most = whole_number("max_starts", max_starts)
    if most < first:
        raise InvalidSetting(
            f"max_starts = {max_starts} is not allowed: at least n_starts = {n_starts}"
        )
    return most
