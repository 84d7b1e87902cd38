"""PsychRNN's files as a format."""

from __future__ import annotations

from pathlib import Path

from attractory.exchange._content import names_in_zip
from attractory.exchange._format import Format, register
from attractory.exchange.psychrnn._network import load_psychrnn
from attractory.models import Network


@register
class PsychRNN(Format):
    """What PsychRNN's `save` writes."""

    name = "psychrnn"
    endings = (".npz",)
    in_words = "PsychRNN's .npz"

    def sniff(self, path: Path) -> bool:
        return {"W_rec.npy", "W_in.npy", "W_out.npy"} <= names_in_zip(path)

    def read(
        self,
        path: Path,
        activation: str | None = None,
        tau: float | None = None,
        dt: float | None = None,
    ) -> Network:
        return load_psychrnn(path, activation, tau, dt)
