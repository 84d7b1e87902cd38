"""The pages of a sweep and of a tuning: their stories and their sections, and how they are written.

Known once a page is written, so that a worker loads no figures.
"""

from attractory.sweeps.page import sections
from attractory.sweeps.page._write import PAGE, write_sweep, write_tuning

__all__ = ["PAGE", "sections", "write_sweep", "write_tuning"]
