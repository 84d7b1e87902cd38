"""A cell as a rate network: what proofs need of it, whatever its own equation is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from attractory.kernels import Activation


@dataclass(frozen=True)
class RateForm:
    """The rate network in which things are proved of a cell, whatever its own equation is.

        r(t+dt) = (1 - leak) r(t) + leak · phi(W r(t) + W_in u + b)

    A cell has a rate form where its fixed points under a constant input u are those of the rate
    network one to one, with the same eigenvalues. Of a rate network it is the network itself.

    Attributes
    ----------
    recurrent, input_weights, bias : array (unit, unit), (unit, input), (unit,)
        The weights W, W_in, b, [to, from].
    activation : Activation
        The function phi.
    leak : float
        The step over the time constant, dt / tau.
    noise : float
        Standard deviation of a unit's private noise inside of phi, in one step.
    state : "rates" or "currents"
        What the cell's own state is: "rates", r itself, or "currents", x = W r + W_in u + b -
        shift.
    shift : array (unit,)
        What is taken off the sum for the cell's own state: b where the cell adds its bias inside of
        phi alone.
    read : "rates" or "currents"
        What of it is read out: "rates", phi(state) or the state where that is r, or "currents".

    Notes
    -----
    Of a network of currents,

        x(t+dt) = (1 - leak) x(t) + leak · (W phi(x(t)) + W_in u + b):

    if x* is a fixed point, r* = phi(x*) is one of the rate form, and x* = W r* + W_in u + b; and
    the other way round. The Jacobians there are (1 - leak) I + leak W D and
    (1 - leak) I + leak D W, D = diag(phi'(x*)): as for any two square matrices, W D and D W have
    the same characteristic polynomial, so all eigenvalues, their numbers beyond modulus 1 and the
    sign of det(I - J) agree.
    """

    recurrent: Any
    input_weights: Any
    bias: Any
    activation: Activation
    leak: float
    noise: float
    state: Literal["rates", "currents"]
    shift: Any
    read: Literal["rates", "currents"] = "rates"
