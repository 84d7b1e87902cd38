"""Eligibility propagation (e-prop) for networks of rates."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import jax
from pydantic import model_validator

from attractory.kernels import Shards
from attractory.models import Model, Weights
from attractory.rules._eligibility import Traced
from attractory.rules._rule import Info, RuleState
from attractory.tasks import Batch


class EProp(Traced):
    """Eligibility propagation: the gradient as far as a unit's own state carries it [1]_.

    A synapse keeps ε_ij, how the state s_i of its unit follows the weight when what all units
    send is taken as given, and changes by it times the learning signal of its unit:

        ε_ij(t) = ∂s_i(t)/∂s_i(t-1) ε_ij(t-1) + ∂s_i(t)/∂W_ij
        e_ij(t) = ∂h_i(t)/∂s_i(t) ε_ij(t)
        ΔW_ij   ∝ - Σ_t (B e(t))_i e_ij(t)

    h is what is sent and e(t) the derivative of the loss by the outputs. In a network of currents
    s is x, ε the filtered φ(x_j) and e_ij = φ'(x_i) ε_ij. In a network of rates state and rate are
    the same h, and the trace is that of `RFLO`.

    The fields are those of every rule that descends a gradient (`Descent`), and these.

    Parameters
    ----------
    loss : str
        Its name, as for `BPTT`.
    optimizer : str or dict
        That of `Descent`.
    feedback : "symmetric", "random" or "adaptive"
        Which weights B feed the errors back: "symmetric", W_outᵀ as it is at the time; "random"
        ones, drawn once; or "adaptive", random ones that from then on change as W_outᵀ does and
        decay as it does, so that their difference goes away. It needs weight_decay.
    feedback_gain : float
        Of random and adaptive feedback: B begins normal with standard deviation
        feedback_gain / √outputs.

    Notes
    -----
    What is left out of the paper: spikes and their pseudo-derivatives; the leak of the readout,
    with which the traces are filtered once more (readouts here have none); and its penalty of
    rates. The traces are those of RFLO in every network that both can train, so that with equal
    feedback the two rules are one; what is e-prop's own is adaptive feedback. An update is the sum
    over the steps of a batch, made as in `RFLO`.

    It trains `RateRNN` and `CurrentRNN`. Without symmetric feedback an update reports
    "feedback_alignment", the cosine of the angle between B and W_outᵀ.

    References
    ----------
    .. [1] Bellec et al. (2020), Nat. Commun. 11:3625, equations 3 and 14.
    """

    in_words: ClassVar[str] = "e-prop"

    feedback: Literal["symmetric", "random", "adaptive"] = "symmetric"

    @model_validator(mode="after")
    def _feedback_can_adapt(self) -> Self:
        if self.feedback == "adaptive" and self.weight_decay == 0:
            raise ValueError(
                "feedback = 'adaptive' needs weight_decay > 0, by which B and the readout come "
                f"together; weight_decay = {self.weight_decay}"
            )
        return self

    @property
    def _symmetric(self) -> bool:
        return self.feedback == "symmetric"

    def update(
        self,
        model: Model,
        weights: Weights,
        state: RuleState,
        trials: Batch,
        step: jax.Array,
        key: jax.Array,
        shards: Shards | None = None,
    ) -> tuple[Weights, RuleState, Info]:
        changed, after, info = super().update(model, weights, state, trials, step, key, shards)
        if self.feedback != "adaptive":
            return changed, after, info
        before = weights["output_weights"].T
        share = self.weight_decay * self._schedule(self.learning_rate)(step) * state["rate_factor"]
        # the change of the readout has its own decay in it: what is left is that of the difference
        feedback = state["error_feedback"] + changed["output_weights"].T - before
        feedback = feedback - share * (state["error_feedback"] - before)
        return changed, {**after, "error_feedback": feedback}, info
