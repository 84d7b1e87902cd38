"""Which inputs move a network along a slow set, and how far: its selection vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from attractory._arguments import as_array, instance_of, optional, takes
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting
from attractory.analysis._given import constant_input, network_or_step
from attractory.analysis.dynamics._kinks import on_kink
from attractory.analysis.dynamics._linearisation import modes_of
from attractory.analysis.dynamics._selection_vectors import SelectionVectors
from attractory.analysis.dynamics._set_geometry import tangents
from attractory.analysis.dynamics._slow_set import SlowSets
from attractory.analysis.dynamics._starts import checked_states
from attractory.analysis.dynamics._step import AnyStep, step_of
from attractory.models import Network
from attractory.runs import kept
from attractory.tasks import ConstantInput, Task, as_task


def _states_or_sets(name: str, value: Any) -> Any:
    """Slow sets as they are, all else as an array."""
    return value if isinstance(value, SlowSets) else as_array(name, value)


@kept
@one_blas_thread
@takes(
    network=network_or_step,
    states=_states_or_sets,
    inputs=optional(constant_input),
    directions=optional(instance_of(Mapping, hint='{"name": array (input,)}')),
    task=optional(as_task),
)
def selection_vectors(
    network: Network | Callable[[Any, Any], Any],
    states: SlowSets | Any,
    inputs: Any = None,
    *,
    directions: Mapping[str, Any] | None = None,
    task: Task | None = None,
) -> SelectionVectors:
    """How far inputs move a network along a line of slow states, at each of them.

    Parameters
    ----------
    network : Network or callable
        A network of any model, or a step(h, x) -> h written in JAX operations.
    states : SlowSets or array (state, unit)
        What `slow_sets` found: the states of the longest line, ring or chain; where there is none,
        of all sets. Or states of your own, in order along a line.
    inputs : array (input,), optional
        The constant input of states of your own, 0 when None; slow sets have theirs.
    directions : mapping of str to array (input,), optional
        Changes of the input that are compared, by name. Those of the task when None
        (`task.evidence_directions()`); without these, 1 in each input.
    task : Task, optional
        What the network does: it names the constant input and its evidence, and says which of it is
        relevant.

    Returns
    -------
    SelectionVectors
        At each state the direction of the line, the selection vector, and how far each change of
        the input moves the network.

    Raises
    ------
    InvalidSetting
        For slow sets without states, sizes that are not those of the network, and inputs beside
        slow sets.

    Notes
    -----
    With J the Jacobian of a step at a state, the mode of the line is that whose eigenvalue is
    nearest to 1. Its right eigenvector r (unit length) is the direction of the line; its left
    eigenvector s, scaled so that s·r = 1, is the selection vector [1]_. What a change d of the
    input, one step long, makes of the state is B d, with B the derivative of a step with respect to
    the input. After everything else has decayed, s·B d of it is left along the line. r·B d is how
    far it reaches along the line at first: where both kinds of evidence reach equally far at first
    and only one of them stays, it is the dynamics that select. Lengths are those of one step of the
    network (the continuous-time rate of Mante et al. is s·B d / dt); ratios are free of that.

    Where the eigenvalue is one of a complex pair, the network turns in a plane and no single vector
    selects: r and s are NaN there, and lengths are taken in that plane. On a kink of the activation
    all is NaN. Of a plane of slow states one of its two slow modes is looked at.

    References
    ----------
    .. [1] Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78.
    """
    line = _line_of(network, states, inputs)
    step = step_of(network, line.inputs, line.states.shape[1])
    from_inputs = np.array([step.input_jacobian(state) for state in line.states])
    changes = _changes(from_inputs.shape[2], directions, task)
    meant = _meant_by(task, step.inputs)
    unordered = len(line.states) == 1 or not line.in_order
    none = np.full_like(line.states, np.nan)
    along = none if unordered else tangents(line.states, line.closed)
    places = zip(line.states, along, strict=True)
    found = spread(lambda at: _mode_at(step, *at), places)
    changed = np.array([*changes.values()])
    moves = np.moveaxis(from_inputs @ changed.T, 2, 1)
    taken = [mode.taken(moved) for mode, moved in zip(found, moves, strict=True)]
    return SelectionVectors(
        name=meant.name,
        kind=line.kind,
        inputs=step.inputs,
        states=line.states,
        eigenvalues=np.array([mode.eigenvalue for mode in found]),
        line=np.array([mode.line for mode in found]),
        selection=np.array([mode.selection for mode in found]),
        right=np.array([mode.right for mode in found], complex),
        left=np.array([mode.left for mode in found], complex),
        alignment=np.array([mode.alignment for mode in found]),
        directions=tuple(changes),
        moves=moves,
        selected=np.array([selected for selected, _ in taken]),
        entering=np.array([entering for _, entering in taken]),
        relevant=meant.relevant if meant.relevant in changes else "",
    )


class _Line(NamedTuple):
    """States, whether they are in order and the last is next to the first, and the input there."""

    kind: str
    states: np.ndarray
    in_order: bool
    closed: bool
    inputs: Any


def _line_of(network: Any, states: Any, inputs: Any) -> _Line:
    """The states to look at: the longest set in order, all where none is; or those given."""
    if not isinstance(states, SlowSets):
        own = checked_states(states, network, None, "states")
        return _Line("states", np.asarray(own), True, False, inputs)
    if inputs is not None:
        raise InvalidSetting("inputs is given beside slow sets, which have theirs; leave it out")
    if not states.sets:
        raise InvalidSetting("states = SlowSets without any set is not allowed: nothing is slow")
    ordered = [each for each in states.sets if each.in_order]
    if ordered:
        longest = max(ordered, key=lambda each: float(each.extent.sum()))
        return _Line(longest.kind, longest.states, True, longest.closed, states.inputs)
    whole = np.concatenate([each.states for each in states.sets])
    kinds = {each.kind for each in states.sets}
    kind = kinds.pop() if len(kinds) == 1 else "set"
    return _Line(kind, whole, False, False, states.inputs)


def _changes(
    size: int, directions: Mapping[str, Any] | None, task: Task | None
) -> dict[str, np.ndarray]:
    """The changes of the input by name: those given, the task's evidence, or each channel."""
    if not size:
        raise InvalidSetting("inputs = None is not allowed for a step(h, x): nothing could move it")
    if directions is None:
        directions = {} if task is None else task.evidence_directions()
        names = () if task is None else task.input_names[:size]
        if not directions:
            numbered = [f"input {i + 1}" for i in range(size)]
            named = names if len(names) == size else numbered
            return dict(zip(named, np.eye(size), strict=True))
    made = {name: as_array(f"directions[{name!r}]", each) for name, each in directions.items()}
    for name, change in made.items():
        if change.shape != (size,):
            raise InvalidSetting(
                f"directions[{name!r}] has shape {change.shape}; it must be ({size},)"
            )
    return made


def _meant_by(task: Task | None, inputs: np.ndarray | None) -> ConstantInput:
    """What the task calls this constant input; nothing where it is none of the task's."""
    for each in () if task is None else task.constant_inputs():
        if inputs is not None and np.array_equal(each.inputs, inputs):
            return each
    return ConstantInput("", np.empty(0))


class _Mode(NamedTuple):
    """The slowest mode at a state: eigenvalue, right and left eigenvector, |cos| with the line."""

    eigenvalue: complex
    right: np.ndarray
    left: np.ndarray
    alignment: float

    @property
    def line(self) -> np.ndarray:
        return self._where_real(self.right)

    @property
    def selection(self) -> np.ndarray:
        return self._where_real(self.left)

    def _where_real(self, vector: np.ndarray) -> np.ndarray:
        """The vector of a real eigenvalue; NaN of one of a pair."""
        if self.eigenvalue.imag == 0:
            return vector.real
        return np.full(len(vector), np.nan)

    def taken(self, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of moves (direction, unit) the parts along the mode: in the end, and at first."""
        if self.eigenvalue.imag == 0:
            return moves @ self.selection, moves @ self.line
        # of a pair: the mode and its conjugate together, which make a real displacement
        displaced = 2 * ((moves @ self.left)[:, None] * self.right).real
        spanning = np.stack([self.right.real, self.right.imag], axis=1)
        plane = np.linalg.qr(spanning)[0]
        in_the_end = np.linalg.norm(displaced, axis=1)
        at_first = np.linalg.norm(moves @ plane, axis=1)
        return in_the_end, at_first


def _mode_at(step: AnyStep, state: np.ndarray, tangent: np.ndarray) -> _Mode:
    """The slowest mode; a real one points along the line's direction."""
    if on_kink(step, state):
        nothing = np.full(len(state), complex(np.nan, 0))
        return _Mode(complex(np.nan, 0), nothing, nothing, np.nan)
    modes = modes_of(step.jacobians(state[None])[0])
    slowest = int(np.abs(modes.eigenvalues - 1.0).argmin())
    value = complex(modes.eigenvalues[slowest])
    right, left = modes.right[:, slowest], modes.selection[slowest]
    if value.imag:
        return _Mode(value, right, left, np.nan)
    along = float(right.real @ tangent)
    largest = np.abs(right).argmax()
    forward = right.real[largest] if np.isnan(along) else along
    sign = -1.0 if forward < 0 else 1.0
    return _Mode(value, sign * right, sign * left, abs(along))
