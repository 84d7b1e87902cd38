"""Fixed points, attractors, automaton: the dynamics of one network, found and proved."""
