"""A picture of each result: it goes in, a matplotlib figure comes out (plotly where it turns).

No function touches pyplot or changes a global setting.
"""

from attractory.figures._automaton import automaton
from attractory.figures._averages import condition_averages
from attractory.figures._battery import battery
from attractory.figures._births_and_losses import births_and_losses
from attractory.figures._coding_axes import coding_axes
from attractory.figures._connections import connections
from attractory.figures._continuation import continuation
from attractory.figures._demixed_pca import demixed_pca
from attractory.figures._dissimilarities import dissimilarities
from attractory.figures._distances import distances
from attractory.figures._fixed_points import fixed_points
from attractory.figures._fixed_points_3d import fixed_points_3d
from attractory.figures._flip_flop import flip_flop
from attractory.figures._force import force_learning
from attractory.figures._measures import measures
from attractory.figures._network import network
from attractory.figures._pareto_front import pareto_front
from attractory.figures._points_through_learning_3d import points_through_learning_3d
from attractory.figures._population_map import population_map
from attractory.figures._psychometric import psychometric
from attractory.figures._psychophysical_kernel import psychophysical_kernel
from attractory.figures._reservoir import ridge_readout
from attractory.figures._robustness import robustness
from attractory.figures._save import save
from attractory.figures._selection import selection_vectors
from attractory.figures._selection_angles import selection_angles
from attractory.figures._selectivity import selectivity
from attractory.figures._slow_sets import slow_sets
from attractory.figures._smallest import smallest
from attractory.figures._spectra import jacobian_spectra
from attractory.figures._state_space import state_space, state_spaces
from attractory.figures._sweep import sweep
from attractory.figures._sweep_pair import sweep_pair
from attractory.figures._task import trials
from attractory.figures._task_axes import task_axes
from attractory.figures._task_variance import task_variance
from attractory.figures._through_learning import through_learning
from attractory.figures._training import learning_curve, spectral_radius
from attractory.figures._tuning_contour import tuning_contour
from attractory.figures._tuning_history import tuning_history
from attractory.figures._tuning_importance import tuning_importance
from attractory.figures._tuning_slices import tuning_slices
from attractory.figures._turning import state_space_3d
from attractory.figures._weights import connectivity, spectrum

__all__ = [
    "automaton",
    "battery",
    "births_and_losses",
    "coding_axes",
    "condition_averages",
    "connections",
    "connectivity",
    "continuation",
    "demixed_pca",
    "dissimilarities",
    "distances",
    "fixed_points",
    "fixed_points_3d",
    "flip_flop",
    "force_learning",
    "jacobian_spectra",
    "learning_curve",
    "measures",
    "network",
    "pareto_front",
    "points_through_learning_3d",
    "population_map",
    "psychometric",
    "psychophysical_kernel",
    "ridge_readout",
    "robustness",
    "save",
    "selection_angles",
    "selection_vectors",
    "selectivity",
    "slow_sets",
    "smallest",
    "spectral_radius",
    "spectrum",
    "state_space",
    "state_space_3d",
    "state_spaces",
    "sweep",
    "sweep_pair",
    "task_axes",
    "task_variance",
    "through_learning",
    "trials",
    "tuning_contour",
    "tuning_history",
    "tuning_importance",
    "tuning_slices",
]
