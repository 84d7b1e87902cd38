"""Penalties: what is added to the loss, by name and weight; and a user's own."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry
from attractory.models import Model, Weights
from attractory.rules import _penalties
from attractory.tasks import Task

# what a penalty may need, and how its function gets it
OF_WEIGHTS = {
    "weights": "dict of arrays: the trained weights by name",
    "recurrent_weights": "array (unit, unit)",
}
OF_TRIALS = {
    "rates": "array (time, unit)",
    "absolute_rates": "array (time,)",
    "squared_rates": "array (time,)",
    "states": "array (time, state)",
    "outputs": "array (time, output)",
    "gradient_growth": "array (time,)",
}
NEEDS = (*OF_WEIGHTS, *OF_TRIALS)
# those of them that a model may have without its rates, in the order of its `outputs_and_sizes`
SIZES = {
    "absolute_rates": lambda rates: jnp.mean(jnp.abs(rates), axis=-1),
    "squared_rates": lambda rates: jnp.mean(jnp.square(rates), axis=-1),
}

_OURS = ("weight", "penalty", "of")  # settings of every penalty; its function has others

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Penalty:
    """A penalty: its function and what this needs.

    Attributes
    ----------
    function : callable
        What makes one number of what is needed.
    needs : str
        One of `NEEDS`.
    """

    function: Callable[..., Any]
    needs: str

    @property
    def name(self) -> str:
        """What it is called."""
        return self.function.__name__

    @property
    def defaults(self) -> dict[str, Any]:
        """Its own settings, and what they usually are."""
        given = 1 if self.needs in OF_WEIGHTS else 2
        parameters = list(inspect.signature(self.function).parameters.values())[given:]
        return {each.name: each.default for each in parameters}


_registry: Registry[Penalty] = Registry(
    "penalty",
    None,
    "attractory.rules",
    name_of=lambda penalty: penalty.name,
    known=(
        Penalty(_penalties.weights_l1, "weights"),
        Penalty(_penalties.weights_l2, "weights"),
        Penalty(_penalties.sparse_connections, "recurrent_weights"),
        Penalty(_penalties.recurrent_radius, "recurrent_weights"),
        Penalty(_penalties.rates_l1, "absolute_rates"),
        Penalty(_penalties.rates_l2, "squared_rates"),
        Penalty(_penalties.rates_change, "rates"),
        Penalty(_penalties.mean_rates, "rates"),
        Penalty(_penalties.mean_rates_entropy, "rates"),
        Penalty(_penalties.vanishing_gradient, "gradient_growth"),
    ),
    decorator="attractory.rules.penalty",
    accepts=lambda part: isinstance(part, Penalty),
)
find_penalty, penalty_names = _registry.find, _registry.names


def penalty(needs: str) -> Callable[[Function], Function]:
    """Make a penalty known by the name of its function; a decorator.

    `BPTT(penalties={"rates_l4": 1e-3})` then adds it, times this weight, to the loss.

    Parameters
    ----------
    needs : str
        What the function gets: "weights", a dictionary of arrays, the trained weights [to, from] by
        name; "recurrent_weights", W_rec (unit, unit); or of one trial, with its own steps (time,)
        as a second argument (1 up to the last step that the mask counts, 0 after it): "rates"
        (time, unit), what the units send; "absolute_rates", "squared_rates" (time,), the means of
        |r| and of r² over units, which cost a rate network next to nothing; "states" (time, state);
        "outputs" (time, output); "gradient_growth" (time,), see Notes.

    Returns
    -------
    callable
        The decorator; it returns the function. This makes one number in JAX operations, a mean
        where its weight is to serve networks and trials of any size. Further arguments of it with
        usual values are settings.

    Raises
    ------
    InvalidSetting
        For another need, for a function with other arguments, and for the name of another penalty.

    Notes
    -----
    "gradient_growth" at a step is ‖λ ∂s(t)/∂s(t-1)‖ / ‖λ‖ with λ = ∂loss/∂s(t) in that trial: what
    the back-propagated gradient grows or shrinks by over the step. λ and the states are taken as
    given; the gradient of the penalty is that through ∂s(t)/∂s(t-1) alone [1]_, without the step's
    noise.

    References
    ----------
    .. [1] Pascanu, Mikolov & Bengio (2013), ICML, equations 9 and 10.

    Examples
    --------
    ::

        @at.rules.penalty(needs="rates")
        def rates_l4(rates, own):
            return jnp.average(jnp.mean(rates**4, axis=1), weights=own)
    """
    if needs not in NEEDS:
        raise InvalidSetting(f"penalty: needs = {shown(needs)} is unknown; {nearest(needs, NEEDS)}")

    def decorate(function: Function) -> Function:
        made = Penalty(function, needs)
        if not callable(function) or any(
            value is inspect.Parameter.empty for value in made.defaults.values()
        ):
            gets = OF_WEIGHTS.get(needs) or f"{OF_TRIALS.get(needs)} and the trial's own steps"
            raise InvalidSetting(
                f"penalty {shown(made.name)}: its function gets {gets}; further arguments are "
                "settings and need a usual value"
            )
        _registry.register(made)
        return function

    return decorate


@dataclass(frozen=True)
class Term:
    """A penalty as a rule has it: its label in the history, its weight, its settings."""

    label: str
    penalty: Penalty
    weight: float
    of: tuple[str, ...] | None
    settings: dict[str, Any]

    def __call__(self, *given: Any) -> jax.Array:
        """The value, without the weight."""
        made = self.penalty.function(*given, **self.settings)
        if np.shape(made) != ():
            raise InvalidSetting(
                f"penalty {shown(self.label)} returned shape {np.shape(made)}; one number is needed"
            )
        return made

    def of_weights(self, model: Model, weights: Weights) -> jax.Array:
        """The value for these weights, of a penalty that needs no trials."""
        if self.penalty.needs == "recurrent_weights":
            return self(model.square_recurrent_weights(weights))
        return self({name: weights[name] for name in self._names(model, weights)})

    def check(self, task: Task, model: Model) -> None:
        """InvalidSetting where it needs what the model has not."""
        shapes = model.weight_shapes(task.n_inputs, task.n_outputs)
        weights = {name: jax.ShapeDtypeStruct(shape, np.float32) for name, shape in shapes.items()}
        needs = self.penalty.needs
        if needs == "weights":
            trained = [name for name in weights if model.may_train(name)]
            named = self._names(model, weights)
            if not named:
                raise InvalidSetting(f"penalties: {self.label}: no matrix of weights is trained")
            for name in named:
                if name not in trained:
                    raise InvalidSetting(
                        f"penalties: {self.label}.of = {shown(name)} is not trained in "
                        f"{type(model).__name__}; {nearest(name, trained)}"
                    )
        if needs == "recurrent_weights" and not _has_square(model, weights):
            raise InvalidSetting(
                f"penalties: {self.label} needs one square matrix of recurrent weights, which "
                f"{type(model).__name__} has not; weights_l1 and weights_l2 take any weights"
            )

    def _names(self, model: Model, weights: Weights) -> tuple[str, ...]:
        """The arrays that it is about: those that are said, or all matrices that are trained."""
        if self.of is not None:
            return self.of
        matrices = (name for name, array in weights.items() if len(array.shape) == 2)
        return tuple(name for name in matrices if model.may_train(name))


def terms_of(penalties: dict[str, Any]) -> tuple[Term, ...]:
    """The penalties of a rule, checked; ValueError for what is none."""
    return tuple(_term(label, given) for label, given in penalties.items())


def _term(label: str, given: Any) -> Term:
    settings = dict(given) if isinstance(given, dict) else {"weight": given}
    if not label.isidentifier():
        raise ValueError(f"penalties: {shown(label)} is no name (letters, digits and _)")
    found = find_penalty(settings.pop("penalty", label))
    weight = _number(f"{label}.weight", settings.pop("weight", None), least=0.0)
    of = _names_in(label, found, settings.pop("of", None))
    defaults = found.defaults
    for name, value in settings.items():
        if name not in defaults:
            known = [*defaults, *_OURS[: 3 if found.needs == "weights" else 2]]
            raise ValueError(
                f"penalties: {label} has no setting {shown(name)}; {nearest(name, known)}"
            )
        if isinstance(defaults[name], float):
            settings[name] = _number(f"{label}.{name}", value)
    return Term(label, found, weight, of, settings)


def _number(name: str, value: Any, least: float = -math.inf) -> float:
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < least:
        allowed = "a number" if least == -math.inf else f"a number, {least:g} or more"
        raise ValueError(f"penalties: {name} = {shown(value)} is not allowed: {allowed}")
    return float(value)


def _names_in(label: str, found: Penalty, of: Any) -> tuple[str, ...] | None:
    if of is None:
        return None
    names = (of,) if isinstance(of, str) else of
    if found.needs != "weights":
        raise ValueError(f"penalties: {label}.of is not allowed: {found.name} is of no weights")
    if not isinstance(names, (list, tuple)) or not names:
        raise ValueError(f"penalties: {label}.of = {shown(of)} is not allowed: names of weights")
    return tuple(map(str, names))


def _has_square(model: Model, weights: Weights) -> bool:
    return jax.eval_shape(model.square_recurrent_weights, weights) is not None
