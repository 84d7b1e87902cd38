"""Keras: SimpleRNN and Dense, Adam, `train_on_batch` on trials that are in memory.

What was tried for each backend, at the paper's size and at 100 units: `train_on_batch` is as fast
as `fit` or faster; TensorFlow is up to nine times slower with jit_compile (XLA) than without; for
JAX it is the usual way.
"""

from __future__ import annotations

import os
from typing import Any

from contenders.contender import cpu_only, ready_trials
from harness.machine import versions
from harness.work import Work


class KerasNetworks:
    """One model a network, one after the other; `backend` is "tensorflow" or "jax"."""

    def __init__(self, backend: str, precision: str, device: str) -> None:
        cpu_only(precision, device, "float32", "bfloat16")
        os.environ["KERAS_BACKEND"] = backend  # before Keras is imported
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import keras

        if precision == "bfloat16":
            keras.config.set_dtype_policy("mixed_bfloat16")
        keras.utils.set_random_seed(0)
        self.backend = backend

    def prepare(self, work: Work) -> None:
        self.inputs, self.targets = ready_trials(work)
        self.models = [self._model(work) for _ in range(work.networks)]

    def go(self, steps: int) -> None:
        for _ in range(steps):
            for model in self.models:
                model.train_on_batch(self.inputs, self.targets)  # returns the loss as a number

    def about(self) -> dict[str, Any]:
        library = {"tensorflow": "tensorflow-cpu", "jax": "jax"}[self.backend]
        return {"versions": versions(("keras", library, "numpy"))}

    def device_memory(self) -> int | None:
        return None

    def _model(self, work: Work) -> Any:
        from keras import Input, Sequential, layers, optimizers

        recurrent = layers.SimpleRNN(
            work.units,
            return_sequences=True,
            use_bias=False,
            recurrent_initializer="orthogonal",
            unroll=False,
        )
        readout = layers.Dense(work.outputs, dtype="float32")  # the loss is in float32 always
        model = Sequential([Input((work.steps, work.inputs)), recurrent, readout])
        model.compile(
            loss="mse", optimizer=optimizers.Adam(1e-4), jit_compile=self.backend == "jax"
        )
        return model
