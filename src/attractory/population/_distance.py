"""How far apart two networks are: distances by name, a user's too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from attractory._arguments import a_flag, a_name, names_of, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry
from attractory.population._subject import Subject

Between = Callable[[Any, Any], float]  # of two networks, as they were prepared
Prepare = Callable[[Subject], Any]

IN_TRIALS = ("states", "outputs")
OF_THE_NETWORK = ("spectrum", "fixed points", "weights")
INVARIANCES = ("permutation", "rotation", "scaling")

_handed_over: dict[str, Prepare] = {
    "states": lambda subject: subject.samples,
    "outputs": lambda subject: subject.outputs,
    "spectrum": lambda subject: subject.eigenvalues,
    "fixed points": lambda subject: subject.points,
    "weights": lambda subject: subject.network,
}


@dataclass(frozen=True)
class Distance:
    """One number a pair of networks: 0 of a network and itself, larger where they differ more.

    Attributes
    ----------
    name : str
        As `metric` of `compare` says it.
    function : callable
        The distance of two networks as they were prepared.
    needs : tuple of str
        Of "states", "outputs" (both in trials), "spectrum", "fixed points", "weights".
    source : str
        Where it is defined.
    invariances : tuple of str
        What does not change it: "permutation", "rotation" of the units (or of one network's
        weights, where it is of these), "scaling" of the states of one of them.
    is_metric : bool
        Whether the triangle inequality holds.
    paired : bool
        Whether it compares two networks in one trial after the other.
    unit : str
        What it is measured in.
    prepare : callable or None
        What is computed once a network, of a `Subject`; None: `function` gets what it needs.
    """

    name: str
    function: Between
    needs: tuple[str, ...]
    source: str
    invariances: tuple[str, ...] = ()
    is_metric: bool = False
    paired: bool = True
    unit: str = "a.u."
    prepare: Prepare | None = field(default=None, repr=False)

    @property
    def in_trials(self) -> bool:
        """Whether it is of what networks do in trials."""
        return any(need in IN_TRIALS for need in self.needs)

    @property
    def wants_task(self) -> bool:
        """Whether a task makes a difference: fixed points are searched for from its states."""
        return self.in_trials or "fixed points" in self.needs

    @property
    def of_weights(self) -> bool:
        """Whether it is of the networks themselves, also apart from any trials."""
        return any(need in OF_THE_NETWORK for need in self.needs)

    def problem(self, subject: Subject) -> str:
        """Why a network cannot be compared so.

        Parameters
        ----------
        subject : Subject
            The network.

        Returns
        -------
        str
            In words; "" where it can.
        """
        why = subject.problem_of_states() if self.in_trials else ""
        if not why and "fixed points" in self.needs:
            why = subject.problem_of_points()
        return why

    def prepared(self, subject: Subject) -> Any:
        """What `function` gets of one network.

        Parameters
        ----------
        subject : Subject
            The network.

        Returns
        -------
        object
            What `prepare` makes of it, or what is needed; a tuple where that is several things.
        """
        if self.prepare is not None:
            return self.prepare(subject)
        needed = tuple(_handed_over[need](subject) for need in self.needs)
        return needed[0] if len(needed) == 1 else needed


_registry: Registry[Distance] = Registry(
    "distance",
    None,
    "attractory.population",
    name_of=lambda made: made.name,
    decorator="attractory.population.distance",
    accepts=lambda made: isinstance(made, Distance),
)
distance_names, find_distance = _registry.names, _registry.find


@takes(
    needs=names_of, source=a_name, invariances=names_of, metric=a_flag, paired=a_flag, unit=a_name
)
def distance(
    needs: str | tuple[str, ...],
    source: str = "",
    invariances: str | tuple[str, ...] = (),
    metric: bool = False,
    paired: bool = True,
    unit: str = "a.u.",
    prepare: Prepare | None = None,
) -> Callable[[Between], Between]:
    """Make a function known as a distance of networks, under its own name; a decorator.

    Parameters
    ----------
    needs : str or tuple of str
        What is compared: "states" (sample, unit) in the trials' own steps, "outputs" (trial, time,
        output), "spectrum" (unit,), "fixed points" (FixedPoints), "weights" (Network).
    source : str
        Where it is defined: authors, year.
    invariances : str or tuple of str
        What does not change it: "permutation", "rotation", "scaling".
    metric : bool
        Whether the triangle inequality holds.
    paired : bool
        Whether it compares two networks in one trial after the other: sample i of one with sample i
        of the other. Decides what one network is compared with itself by (see `compare`).
    unit : str
        What it is measured in, for figures.
    prepare : callable, optional
        Takes a `Subject` (a network in the trials) and gives what the function gets of it. It is
        called once a network, the function once a pair. Without it the function gets what is
        needed.

    Returns
    -------
    callable
        The decorator. Its function takes two networks as they were prepared and gives a number: 0
        for a network and itself, the same in either order.

    Raises
    ------
    InvalidSetting
        For an unknown need or invariance, and for the name of another distance.

    Examples
    --------
    ::

        @at.population.distance(needs="spectrum", invariances=("permutation", "rotation"))
        def radii(a, b):
            return abs(abs(a).max() - abs(b).max())

        at.population.compare(run, metric="radii")
    """
    _check_words("needs", needs, (*IN_TRIALS, *OF_THE_NETWORK))
    _check_words("invariances", invariances, INVARIANCES)
    if not needs:
        raise InvalidSetting("needs is empty; at least one thing is needed to compare")

    def registered(function: Between) -> Between:
        _registry.register(
            Distance(
                function.__name__, function, tuple(needs), source, tuple(invariances), metric,
                paired, unit, prepare,
            )
        )  # fmt: skip
        return function

    return registered


def _check_words(argument: str, words: str | tuple[str, ...], allowed: tuple[str, ...]) -> None:
    for word in words:
        if word not in allowed:
            raise InvalidSetting(f"{argument} = {shown(word)}: {nearest(word, allowed)}")
