"""What belongs to one published paper (Jarne 2024): its protocol, its numbers, its figures."""

from attractory.reproduce._reproduce import reproduce

__all__ = ["reproduce"]
