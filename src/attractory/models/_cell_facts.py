"""The facts about a cell that others ask for, with their usual answers."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import jax
from pydantic import Field

from attractory._errors import InvalidSetting
from attractory._settings import Settings
from attractory.models._constraints import Constraints
from attractory.models._equation import Equation
from attractory.models._rate_form import RateForm

Weights = dict[str, Any]  # arrays by name, of JAX or NumPy


class CellFacts(Settings):
    """What a cell is asked about; see `Cell`."""

    by_position: ClassVar[tuple[str, ...]] = ("units",)

    fixed_weights: ClassVar[tuple[str, ...]] = ()
    gates: ClassVar[tuple[str, ...]] = ()
    form: ClassVar[Literal["rates", "currents"] | None] = None
    of_text: ClassVar[bool] = True
    takes_feedback: ClassVar[bool] = False
    symbols: ClassVar[dict[str, str]] = {
        "input_weights": r"$W_\mathrm{in}$",
        "recurrent_weights": r"$W_\mathrm{rec}$",
        "left_vectors": r"$m$",
        "right_vectors": r"$n$",
        "bias": r"$b$",
        "recurrent_bias": r"$b_\mathrm{rec}$",
        "feedback_weights": r"$W_\mathrm{fb}$",
    }

    units: int = Field(default=400, ge=1)

    @property
    def step_length(self) -> float:
        """The length of one step, in the unit of the model's time constant (ms, usually)."""
        return float(getattr(self, "dt", 1.0))

    @property
    def leak(self) -> float:
        """The step over the time constant: the share of the state that a step replaces at most."""
        return 1.0

    @property
    def state_size(self) -> int:
        """Entries of the whole state; more than `units` where a cell has a memory of its own."""
        return self.units

    @property
    def all_units(self) -> int:
        """Number of units in all layers."""
        return self.units

    @property
    def stays_bounded(self) -> bool | None:
        """Whether the step under a constant input keeps a ball of states within itself.

        None where it is not known.
        """
        return None

    @property
    def weight_constraints(self) -> Constraints | None:
        """What the recurrent weights must obey; None: nothing."""
        return None

    @property
    def recurrent_rank(self) -> int | None:
        """The rank of the recurrent weights where they are made of so many pairs of vectors."""
        return None

    @property
    def has_feedback(self) -> bool:
        """Whether the outputs come back to the units through weights of their own."""
        return False

    def closed_loop(self, weights: Weights) -> Weights:
        """The weights without feedback of a network that does the same.

        Parameters
        ----------
        weights : dict of arrays
            The weights of a network.

        Returns
        -------
        dict of arrays
            Those of the closed loop; the weights themselves where there is no feedback.
        """
        return weights

    def has_cell_noise(self) -> bool:
        """Whether the cell itself draws random numbers.

        Returns
        -------
        bool
            True where it does.
        """
        return False

    def rate_form(self, weights: Weights) -> RateForm | None:
        """The rate network with the same fixed points and eigenvalues, where there is one.

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights.

        Returns
        -------
        RateForm or None
            With it fixed points and eigenvalues are proved; None: nothing is proved.
        """
        return None

    def equation(self) -> Equation:
        """How the cell is written on a figure.

        Returns
        -------
        Equation
            The equation in mathtext.
        """
        own = type(self).__name__
        lines = (r"$s(t+\Delta t) = F(\,s(t),\ x(t)\,)$", r"$h$: the first entries of $s$")
        return Equation(lines, state="s(t)", in_words=f"{own} cell")

    def terms(self) -> list[tuple[str, str]]:
        """What stands in the equation beside weights.

        Returns
        -------
        list of pairs of str
            Symbol and value of each.
        """
        return [
            (r"$F$", f"{type(self).__name__} (user's own cell)"),
            (r"$s$", f"{self.state_size} (state)"),
            (r"$\Delta t$", f"{self.step_length:g} ms (step)"),
        ]

    def input_size(self, weights: Weights) -> int:
        """Number of input channels of a network.

        Parameters
        ----------
        weights : dict of arrays
            Its weights.

        Returns
        -------
        int
            The number.
        """
        return int(weights["input_weights"].shape[1])

    def recurrent_weights(self, weights: Weights) -> Any:
        """What multiplies the hidden state, [to, from].

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights.

        Returns
        -------
        array (unit, unit)
            Of gated cells (gate x unit, unit), gates one below the other.

        Raises
        ------
        InvalidSetting
            For a cell without such weights.
        """
        if "recurrent_weights" not in weights:
            raise InvalidSetting(
                "this model's cell has no weights named 'recurrent_weights'; "
                f"it has {', '.join(weights)}"
            )
        return weights["recurrent_weights"]

    def square_recurrent_weights(self, weights: Weights) -> Any | None:
        """The matrix W_rec of a model that has one, [to, from].

        Parameters
        ----------
        weights : dict of arrays
            The cell's weights.

        Returns
        -------
        array (unit, unit) or None
            The matrix; None for others.
        """
        try:
            found = self.recurrent_weights(weights)
        except InvalidSetting:
            return None
        return found if found.shape == (self.units, self.units) else None

    def sum_slopes(
        self,
        weights: Weights,
        inputs: Any,
        before: Any,
        after: Any,
        key: jax.Array | None = None,
    ) -> Any:
        """What a step adds to each unit's state for a little more of what the unit sums.

        Parameters
        ----------
        weights : dict of arrays
            The model's weights.
        inputs : array (time, trial, input)
            The inputs.
        before, after : array (time, trial, state)
            The states before and after each step, as `run` makes them with the same key.
        key : JAX random key, optional
            That of the run; needed where the model has noise.

        Returns
        -------
        array (time, trial, unit)
            The slopes: leak · phi'(sum) of a rate network, leak of one of currents.

        Raises
        ------
        InvalidSetting
            For a cell whose units do not each sum once.
        """
        raise InvalidSetting(
            f"{type(self).__name__} does not say how a unit's state follows what it sums (a method "
            "sum_slopes())"
        )

    def bfloat16_missing(self) -> str | None:
        """Why precision "bfloat16" would not be faster here than float32.

        Returns
        -------
        str or None
            The reason; None where it is faster.
        """
        return f"{type(self).__name__} has no products of bfloat16 numbers"
