"""Many networks: measures (one number a network), distances (one number a pair), statistics."""

__all__: list[str] = []
