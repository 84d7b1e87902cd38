"""The words of the page: what stands under each figure, over each column, and in which order."""

from __future__ import annotations

CAPTIONS = {
    "figure1_flip_flop": "What one bit of the memory does: a positive pulse sets it, a negative "
    "pulse resets it, and without a pulse it stays as it is.",
    "figure2_network": "The network: inputs, recurrent units, linear readout.",
    "figure3_trials": "Three random trials of the task: inputs with their noise, and the targets.",
    "figure4_connectivity": "Recurrent weights of network 0 (rows: to, columns: from; of a gated "
    "cell those of its candidate), their distribution, and the eigenvalues with the unit circle.",
    "figure5_spectra": "Eigenvalues of the recurrent weights of each network.",
    "spectral_radius": "Spectral radius of the recurrent weights of each network during training.",
    "psychometric": "How often the first option is chosen as the evidence for it grows, with the "
    "fitted curves; dashed: chance.",
    "figure6_state_space": "The test walk through all memory states: what network 0 is given, "
    "asked and says, and its states in the three leading dimensions.",
    "figure7_state_spaces": "The same walk seen in the state space of each network.",
    "learning_curve": "Loss of each network during training.",
    "fixed_points": "Fixed points of network 0 in the state space of the test walk, by their "
    "number of unstable dimensions, with unstable directions and ways from saddles to attractors.",
    "connections": "Which attractors of network 0 a saddle with one unstable dimension joins.",
    "jacobian_spectra": "Eigenvalues of the Jacobian at the fixed points of network 0, by the "
    "number of unstable dimensions, with the unit circle.",
    "continuation": "Read-out of the stable points of network 0 as a constant input grows: each "
    "is followed until it meets another fixed point and vanishes (fold), or the input is full.",
    "automaton": "Network 0 as a machine: what each input makes of each state, by the margin of "
    "the read-out at the end of the block, and how long each state holds in silence.",
    "robustness": "Scores under conditions that the networks were not trained for; the dashed line "
    "marks the condition of training.",
}
SECTIONS = {
    "Task and network": ("figure1_flip_flop", "figure2_network", "figure3_trials"),
    "Learning": ("learning_curve", "spectral_radius"),
    "Choices": ("psychometric",),
    "Weights": ("figure4_connectivity", "figure5_spectra"),
    "State space": ("figure6_state_space", "figure7_state_spaces"),
    "Fixed points": ("fixed_points", "connections", "jacobian_spectra", "continuation"),
    "Automaton": ("automaton",),
    "Robustness": ("robustness",),
}
HEADINGS = {
    "net": "network",
    "mse": "MSE",
    "mse_with_last_step": "MSE, all steps",
    "distance": "distance",
    "accuracy": "sign accuracy",
    "correct": "trials correct",
    "spectrum_radius": "spectral radius",
    "spectrum_outliers": "|λ| > 1.01",
    "spectrum_on_circle": "within 0.02 of circle",
    "spectrum_nonnormality": "Henrici / norm",
    "spectrum_leading_frequency": "leading mode (cycles/ms)",
    "cube_r_squared": "cube R²",
    "cube_one_bit_apart": "edges one bit apart",
    "cube_separation": "memories held apart",
    "points_all": "fixed points",
    "points_stable": "stable",
    "points_certified": "proved",
    "points_degree_sum": "degree sum",
    "automaton_correct": "memory transitions correct (T0)",
    "automaton_margin": "smallest margin (T0)",
}
PERCENTAGES = (
    "accuracy",
    "correct",
    "spectrum_on_circle",
    "cube_one_bit_apart",
    "cube_separation",
    "automaton_correct",
)
