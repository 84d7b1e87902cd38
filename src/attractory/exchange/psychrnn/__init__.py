"""Networks that PsychRNN saved, read without PsychRNN and without unpickling."""

from attractory.exchange.psychrnn._format import PsychRNN
from attractory.exchange.psychrnn._network import load_psychrnn

__all__ = ["PsychRNN", "load_psychrnn"]
