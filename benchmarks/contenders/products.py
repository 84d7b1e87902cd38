"""The limit: one large matrix product over and over, as fast as the processor does any."""

from __future__ import annotations

from typing import Any

import numpy as np

from contenders.contender import cpu_only
from harness.machine import versions
from harness.work import Work

SIZE = 2048
ARITHMETIC = 2.0 * SIZE**3


class NumpyProduct:
    """NumPy's float32 product (sgemm) with all threads; the work's sizes play no part."""

    def __init__(self, precision: str, device: str) -> None:
        cpu_only(precision, device, "float32")

    def prepare(self, work: Work) -> None:
        rng = np.random.default_rng(0)
        self.left, self.right = rng.normal(size=(2, SIZE, SIZE)).astype(np.float32)
        self.product = np.empty_like(self.left)

    def go(self, steps: int) -> None:
        for _ in range(steps):
            np.matmul(self.left, self.right, out=self.product)

    def about(self) -> dict[str, Any]:
        return {"versions": versions(("numpy",)), "arithmetic": ARITHMETIC}

    def device_memory(self) -> int | None:
        return None


class TorchProduct:
    """torch's bfloat16 product with all threads."""

    def __init__(self, precision: str, device: str) -> None:
        cpu_only(precision, device, "bfloat16")

    def prepare(self, work: Work) -> None:
        import torch

        self.multiply = torch.mm
        self.left, self.right = torch.randn(2, SIZE, SIZE).to(torch.bfloat16)

    def go(self, steps: int) -> None:
        for _ in range(steps):
            self.multiply(self.left, self.right)

    def about(self) -> dict[str, Any]:
        return {"versions": versions(("torch",)), "arithmetic": ARITHMETIC}

    def device_memory(self) -> int | None:
        return None
