"""The activation of a cell, as its settings hold it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from attractory._errors import InvalidSetting
from attractory.kernels import ActivationFunction, activation_of, check_elementwise, of_settings


def _checked(activation: Any) -> Any:
    """The name where the activation is registered, else the function; ValueError for neither."""
    activation = of_settings(activation)
    try:
        if callable(activation):
            check_elementwise(activation)
        else:
            activation_of(activation)
    except InvalidSetting as refused:
        # pydantic says before it which field it is, and its value
        raise ValueError(str(refused).partition("is not allowed: ")[2]) from None
    return activation


ActivationSetting = Annotated[str | ActivationFunction, BeforeValidator(_checked)]
