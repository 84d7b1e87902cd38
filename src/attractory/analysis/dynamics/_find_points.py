"""The search for all fixed points of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, whole_number
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
from attractory.tasks import Task, Trials

CAP = 0.1  # longest Newton step over √units, in the size of a typical state
SLOW_STARTS = 12
DEFLATED = 64  # starts with the known points taken out
HOPELESS = 8  # times n_starts without one fixed point end a search
FEW = 64  # starts of a search whose points are all known
NO_JACOBIAN = -1  # instead of a number of unstable dimensions, on a kink
EXTENSION = 32  # times n_starts is as long as a search goes on, unless told


@kept
@one_blas_thread
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

    network: a network of any model, or a step(h, x) -> h written in JAX operations, h (unit,): the
    whole state, with an LSTM's memory and every layer of a stack in it.
    inputs: the constant input (input,); 0 when None (a step then gets x = 0).
    n_starts: how many starts there are at first; half of them where the evidence says by then that
        nothing is missing (see `Completeness.complete`).
    max_starts: while it says that something is, the search goes on up to so many starts; 32 times
        n_starts when None. max_starts = n_starts: no further search.
    task: a task or trials whose trajectories the starts are taken from; without one they come from
        random pulses on the inputs. For a step(h, x) they come from `initial_states`.
    units: the size of h for a step(h, x). initial_states (state, unit): further starting states.

    Newton's method in float64 from states on trajectories, these with noise, midpoints of settled
    states, scaled copies and random states; then from around and between the points found; their
    mirror images are taken where the network is odd. Noise of the model is left out. Proofs exist
    for networks that have a rate form (`models.RateForm`: rate and current networks, of low rank
    too) with an activation whose slope is understood (all names but gelu and selu; of your own,
    where its bounds were said); elsewhere (gated cells, layers, functions) `certified` is False:
    the proof needs a bound of how fast the Jacobian changes.
    Memory: about 3 units² numbers a core.

    Sources: Sussillo & Barak (2013) for the use of fixed points; `certify` for the proof.
    Raises InvalidSetting for sizes, numbers or weights that are not allowed.
    """
    most = _checked_counts(n_starts, max_starts)
    given = checked_states(initial_states, network, units)
    if given is not None:
        units = given.shape[1]
    if task is not None and not isinstance(task, (Task, Trials)):
        raise InvalidSetting(f"task is of type {type(task).__name__}; a Task or Trials is needed")
    if task is not None and isinstance(network, Network):
        check_meeting(network.model, task)
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
    longest = CAP * np.sqrt(step.units) * max(1.0, float(np.sqrt(np.mean(starts.pool**2))))
    points = Points(step)
    if given is not None:
        points.add(newton(step, given, longest))
    enclosed = enumerate_points(step, points, longest) if isinstance(step, RateStep) else np.inf
    # where all are known the starts show how many of them lead where, and where they get stuck
    first = max(1, n_starts // 2 if np.isinf(enclosed) else min(FEW, n_starts // 2))
    points.add(newton(step, starts.first(first, rng), longest))
    if np.isinf(enclosed) and not step.bounded:
        # nothing keeps the points of such a map near the states that it comes through
        further = min(max(1, first // 4), most - points.starts)
        if further > 0:
            points.add(newton(step, starts.first(further, rng), np.inf))
    while np.isinf(enclosed) and not points.continuum and points.starts < most:
        evidence = completeness_of(points)
        if evidence.complete and not _more_by_deflation(points, starts, most, rng, longest):
            break
        if points.starts >= most:
            break
        if not points.arrived and points.starts >= HOPELESS * n_starts:
            break
        starts.learn(points.states(), points.hits)
        size = min(max(64, n_starts // 4, points.starts // 4), most - points.starts)
        points.add(newton(step, starts.next(size, rng), longest))
    found = _result(step, points, enclosed)
    return as_currents(found, own) if isinstance(own, CurrentStep) else found


def as_currents(points: FixedPoints, step: CurrentStep) -> FixedPoints:
    """Fixed points of a rate form as those of the network of currents: x* = W r* + c.

    x* lies as near to the state as its rates do, times the largest row sum of |W|. Another point
    x' would have rates r' with |r' - r*| <= max|phi'| |x' - x*|, so it lies outside of what the
    rates rule out. Eigenvalues, their numbers beyond modulus 1 and degrees are the same.
    """
    form = step.rates
    states = step.of_rates(points.states)
    row_sum = float(np.abs(form.recurrent).sum(axis=1).max()) * SLACK
    # rounding of W r + c, a sum of units + inputs + 2 products
    terms = np.abs(points.states) @ np.abs(form.recurrent).T + np.abs(step.shift)
    terms = terms + np.abs(form.input_weights) @ np.abs(form.inputs) + np.abs(form.bias)
    rounding = sum_error(step.units + len(form.inputs) + 4) * terms.max(axis=1, initial=0.0)
    steepest = form.activation.max_slope * SLACK
    with np.errstate(invalid="ignore"):  # of points without a proof the radius is infinite
        radius = (row_sum * points.radius + rounding) * SLACK
        alone = (points.unique_radius - points.radius) / steepest - radius
    certified = points.certified & (alone > radius)
    return replace(
        points,
        step=step,
        certified=certified,
        states=states,
        residuals=np.abs(step(states) - states).max(axis=1, initial=0.0),
        outputs=step.outputs(states),
        radius=np.where(certified, radius, NOTHING.radius),
        unique_radius=np.where(certified, alone, NOTHING.unique_radius),
        unsettled=step.of_rates(points.unsettled),
    )


def _more_by_deflation(
    points: Points, starts: Starts, most: int, rng: np.random.Generator, longest: float
) -> bool:
    """Add the points that Newton's method finds when it cannot go to the known ones; any new?"""
    before = len(points.all)
    number = min(DEFLATED, most - points.starts)
    if points.step.units <= MOST_UNITS and number > 0:
        ends = deflated_newton(points.step, starts.first(number, rng), points.states(), longest)
        points.add(newton(points.step, ends, longest))
    return len(points.all) > before


def _result(step: AnyStep, points: Points, enclosed: float) -> FixedPoints:
    found = points.all
    spectra = _spectra(step, found)
    n_unstable = np.array([spectrum.n_unstable for spectrum in spectra], int)
    outputs = step.outputs(points.states())
    last = np.array([point.kinked for point in found], bool)
    order = np.lexsort((np.arange(len(found)), n_unstable, last))

    def column(values: list[Any], dtype: Any) -> np.ndarray:
        return np.array(values, dtype)[order]

    proofs = [NOTHING if point.kinked else point.certificate for point in found]
    exact = [point.kinked and point.certificate.exists for point in found]
    stuck = np.array(points.lost).reshape(-1, step.units)[:SLOW_STARTS]
    return FixedPoints(
        step=step,
        states=points.states()[order],
        residuals=column([point.residual for point in found], float),
        outputs=outputs[order],
        certified=column([proof.exists for proof in proofs], bool),
        radius=column([proof.radius for proof in proofs], float),
        unique_radius=column([proof.unique_radius for proof in proofs], float),
        hits=points.hits[order],
        eigenvalues=column([s.eigenvalues for s in spectra], complex).reshape(-1, step.units),
        n_unstable=n_unstable[order],
        decided=column([spectrum.decided for spectrum in spectra], bool),
        kinked=column([point.kinked for point in found], bool),
        exact=column(exact, bool),
        completeness=completeness_of(points, enclosed),
        unsettled=stuck,
    )


def _spectra(step: AnyStep, points: list[Point]) -> list[Eigenvalues]:
    """The eigenvalues at each point; a mirror image has those of the point before it."""

    def spectrum(point: Point) -> Eigenvalues:
        if point.kinked:
            return Eigenvalues(np.full(step.units, complex(np.nan, np.nan)), NO_JACOBIAN, False)
        return jacobian_eigenvalues(step, point.state, point.certificate.radius)

    made = iter(spread(spectrum, [point for point in points if not point.mirrored]))
    spectra: list[Eigenvalues] = []
    for point in points:
        spectra.append(spectra[-1] if point.mirrored else next(made))
    return spectra


def _checked_counts(n_starts: Any, max_starts: Any) -> int:
    first = whole_number("n_starts", n_starts)
    most = first * EXTENSION if max_starts is None else whole_number("max_starts", max_starts)
    if most < first:
        raise InvalidSetting(
            f"max_starts = {max_starts} is not allowed: at least n_starts = {n_starts}"
        )
    return most
