"""Random feedback local online learning (RFLO)."""

from __future__ import annotations

from typing import ClassVar, Literal

from attractory.rules._eligibility import Traced


class RFLO(Traced):
    """Random feedback local online learning: errors by random weights, traces at the synapses [1]_.

    A synapse from unit j to unit i keeps a trace of what it sends when unit i is sensitive, and
    changes by it times the error that reaches unit i:

        p_ij(t) = (1 - dt/tau) p_ij(t-1) + (dt/tau) phi'(u_i(t)) h_j(t-1)
        ΔW_ij   ∝ - Σ_t (B e(t))_i p_ij(t)

    u is what the units sum, e the derivative of the loss by the outputs, z - y for the squared
    error, up to a factor. Input weights and bias have the same traces, of the inputs and of 1. The
    readout learns by the delta rule, e(t) h(t)ᵀ. It is the gradient without what
    goes from unit to unit: two parts of it are replaced, W_outᵀ by B, and W_rec of the way back by
    nothing.

    The fields are those of every rule that descends a gradient (`Descent`), and these.

    Parameters
    ----------
    loss : str
        Its name, as for `BPTT`.
    optimizer : str or dict
        That of `Descent`.
    feedback : "random" or "symmetric"
        Which weights B feed the errors back: "random" ones, drawn once, or "symmetric", W_outᵀ as
        it is at the time.
    feedback_gain : float
        Of random feedback: B is normal with standard deviation feedback_gain / √outputs.

    Notes
    -----
    An update is the sum over the steps of a batch, so that weights change once a batch, as in the
    published code where it learns at the end of a trial; the paper also has changes at every step.
    The same sum is computed in another order, errors filtered from the end of the trial on instead
    of traces from its beginning, which takes no traces: equal but for rounding. A loss that is no
    sum over steps has errors that are known only at the end.

    For a network of currents x the trace has phi(x_j) in place of phi' h_j, and phi'(x_i(t)) is
    outside of it; that is e-prop's (`EProp`). With the same feedback the two are one rule here.

    It trains `RateRNN` and `CurrentRNN`. With random feedback an update reports
    "feedback_alignment", the cosine of the angle between B and W_outᵀ.

    References
    ----------
    .. [1] Murray (2019), eLife 8:e43299.
    """

    in_words: ClassVar[str] = "random feedback local online learning"

    feedback: Literal["random", "symmetric"] = "random"

    @property
    def _symmetric(self) -> bool:
        return self.feedback == "symmetric"
