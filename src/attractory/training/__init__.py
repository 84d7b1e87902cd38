"""The one training loop: checkpoints, progress, divergence, populations."""

from attractory.training._train import train

__all__ = ["train"]
