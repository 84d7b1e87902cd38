"""The command line."""

from attractory.cli._main import main

__all__ = ["main"]
