"""State space and its geometry: where the states of one network go."""
