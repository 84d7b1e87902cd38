"""The equations of models in mathtext, and what stands in them."""

from __future__ import annotations

from typing import Any

from attractory.models import GRU, LSTM, LowRankRNN, Model, RateRNN, Stacked

SYMBOLS = {
    "input_weights": r"$W_\mathrm{in}$",
    "recurrent_weights": r"$W_\mathrm{rec}$",
    "left_vectors": r"$m$",
    "right_vectors": r"$n$",
    "bias": r"$b$",
    "recurrent_bias": r"$b_\mathrm{rec}$",
}


def recurrence(model: Model) -> list[str]:
    """The lines of a cell's equation."""
    if isinstance(model, RateRNN):
        return _rate(model)
    if isinstance(model, GRU):
        return _gru(model)
    if isinstance(model, LSTM):
        return _lstm(model)
    if isinstance(model, Stacked):
        below = ["x(t)", *(f"h^{{({i})}}" for i in range(1, len(model.layers)))]
        return [
            rf"$h^{{({i})}}$: {type(layer).__name__} of ${given}$"
            for i, (layer, given) in enumerate(zip(model.layers, below, strict=True), 1)
        ]
    return [r"$s(t+\Delta t) = F(\,s(t),\ x(t)\,)$", r"$h$: the first entries of $s$"]


def settings(model: Model) -> list[tuple[str, str]]:
    """Symbol and value of the settings in the equation; weights are not among them."""
    if isinstance(model, Stacked):
        return []
    facts = []
    if isinstance(model, RateRNN):
        facts.append((r"$\phi$", f"{_name(model.activation)} (activation)"))
    if isinstance(model, (GRU, LSTM)) and model.recurrent_activation != "sigmoid":
        facts.append((r"$\sigma$", f"{model.recurrent_activation} (of the gates)"))
    if not isinstance(model, (RateRNN, GRU, LSTM)):
        facts.append((r"$F$", f"{_name(getattr(model, 'step', model))} (user's own cell)"))
        facts.append((r"$s$", f"{model.state_size} (state)"))
    if isinstance(model, (RateRNN, GRU)):
        facts.append(
            (r"$\Delta t,\ \tau$", f"{model.dt:g}, {model.tau:g} ms (step, time constant)")
        )
    else:
        facts.append((r"$\Delta t$", f"{model.step_length:g} ms (step)"))
    if isinstance(model, RateRNN) and model.recurrent_noise > 0:
        facts.append((r"$\xi$", f"noise, s.d. {model.recurrent_noise:g}·√(2τ/Δt)"))
    if isinstance(model, RateRNN) and model.constraints is not None:
        facts += _constraints(model)
    return facts


def _rate(model: RateRNN) -> list[str]:
    bias = " + b" if model.bias else ""
    noise = r" + \xi(t)" if model.recurrent_noise > 0 else ""
    phi = rf"\phi(\,W_\mathrm{{rec}}\,h(t) + W_\mathrm{{in}}\,x(t){bias}{noise}\,)"
    made = [rf"$h(t+\Delta t) = {phi}$"]
    if model.leak != 1:
        made = [
            r"$h(t+\Delta t) = (1 - \Delta t/\tau)\,h(t)$",
            rf"$\qquad +\ (\Delta t/\tau)\,{phi}$",
        ]
    if isinstance(model, LowRankRNN):
        made.append(rf"$W_\mathrm{{rec}} = \sum_r m_r\,n_r^\top / {model.units}$")
    return made


def _gru(model: GRU) -> list[str]:
    own, bias = (r" + b_\mathrm{rec}", " + b") if model.bias else ("", "")
    leak = "" if model.leak == 1 else r"(\Delta t/\tau)\,"
    if model.reset_after:
        product = rf"r \odot (W_n\,h{own})"
    else:
        own, product = "", r"W_n\,(r \odot h)"
    return [
        rf"$r, u = \sigma(\,W_{{r,u}}\,h{own} + U_{{r,u}}\,x{bias}\,)$",
        rf"$n = \tanh(\,{product} + U_n\,x{bias}\,)$",
        rf"$h(t+\Delta t) = h + {leak}(1 - u) \odot (n - h)$",
    ]


def _lstm(model: LSTM) -> list[str]:
    bias = " + b" if model.bias else ""
    return [
        rf"$i, f, o = \sigma(\,W_{{i,f,o}}\,h + U_{{i,f,o}}\,x{bias}\,)$",
        rf"$g = \tanh(\,W_g\,h + U_g\,x{bias}\,)$",
        r"$c(t+\Delta t) = f \odot c + i \odot g$",
        r"$h(t+\Delta t) = o \odot \tanh c(t+\Delta t)$",
    ]


def _constraints(model: RateRNN) -> list[tuple[str, str]]:
    """What the recurrent weights must obey, in a few words."""
    rules = model.constraints
    facts: list[tuple[str, str]] = []
    if rules is None:
        return facts
    signs = rules.column_signs(model.units)
    if signs is not None:
        excitatory = int((signs > 0).sum())
        facts.append(("E : I", f"{excitatory} : {model.units - excitatory} (Dale's law)"))
    if rules.density is not None:
        facts.append(("density", f"{rules.density:g}"))
    if rules.areas is not None:
        facts.append(("areas", " + ".join(map(str, rules.areas))))
    return facts


def _name(function: Any) -> str:
    if isinstance(function, str):
        return function
    return getattr(function, "__name__", type(function).__name__)
