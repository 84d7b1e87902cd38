"""Networks from and to Keras; its files are read without Keras."""

from attractory.exchange.keras._format import Keras
from attractory.exchange.keras._network import load_keras
from attractory.exchange.keras._write import save_keras, to_keras

__all__ = ["Keras", "load_keras", "save_keras", "to_keras"]
