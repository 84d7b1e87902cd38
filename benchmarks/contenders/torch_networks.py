"""torch: nn.RNN (cuDNN's on a GPU) and nn.Linear, fused Adam."""

from __future__ import annotations

import os
from typing import Any

import torch

from contenders.contender import ready_trials
from harness.machine import versions
from harness.work import Work


class TorchNetworks:
    """One module a network, one after the other; bfloat16 is torch's autocast."""

    def __init__(self, precision: str, device: str) -> None:
        if device == "gpu" and not torch.cuda.is_available():
            raise ValueError("torch sees no GPU here")
        self.device = torch.device("cuda" if device == "gpu" else "cpu")
        self.half = precision == "bfloat16"
        torch.set_num_threads(os.cpu_count() or 1)
        torch.manual_seed(0)

    def prepare(self, work: Work) -> None:
        # (time, trial, channel) is the layout that nn.RNN works in
        inputs, targets = (torch.from_numpy(x).transpose(0, 1) for x in ready_trials(work))
        self.inputs = inputs.contiguous().to(self.device)
        self.targets = targets.contiguous().to(self.device)
        self.networks = [_Network(work, self.device) for _ in range(work.networks)]

    def go(self, steps: int) -> None:
        for _ in range(steps):
            for network in self.networks:
                loss = network.step(self.inputs, self.targets, self.half)
        loss.item()  # waits for the device

    def about(self) -> dict[str, Any]:
        return {"versions": versions(("torch", "numpy"))}

    def device_memory(self) -> int | None:
        return torch.cuda.max_memory_allocated() if self.device.type == "cuda" else None


class _Network:
    """A recurrent layer, a readout and their optimiser."""

    def __init__(self, work: Work, device: torch.device) -> None:
        self.recurrent = torch.nn.RNN(work.inputs, work.units, bias=False).to(device)
        torch.nn.init.orthogonal_(self.recurrent.weight_hh_l0)
        self.readout = torch.nn.Linear(work.units, work.outputs).to(device)
        weights = [*self.recurrent.parameters(), *self.readout.parameters()]
        self.optimizer = torch.optim.Adam(weights, lr=1e-4, fused=True)

    def step(self, inputs: torch.Tensor, targets: torch.Tensor, half: bool) -> torch.Tensor:
        """One training step; returns the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=half):
            outputs = self.readout(self.recurrent(inputs)[0])
        loss = torch.nn.functional.mse_loss(outputs.float(), targets)
        loss.backward()
        self.optimizer.step()
        return loss.detach()
