"""LU factors of many small matrices in single precision, from threads that run side by side.

SciPy's `lu_factor` keeps other Python threads waiting and NumPy keeps no factors, so LAPACK is
called through the pointers that SciPy publishes for that purpose (scipy.linalg.cython_lapack).
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from scipy.linalg import cython_lapack

_int_pointer = ctypes.POINTER(ctypes.c_int)


def _routine(name: str, arguments: int) -> Any:
    """A LAPACK routine; called through ctypes it runs without Python's lock."""
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype = ctypes.c_char_p
    name_of.argtypes = [ctypes.py_object]
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype = ctypes.c_void_p
    pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]

    capsule = cython_lapack.__pyx_capi__[name]
    pointer = pointer_of(capsule, name_of(capsule))
    types = [ctypes.c_void_p] * arguments
    kind = ctypes.CFUNCTYPE(None, *types)
    return kind(pointer)


_sgetrf = _routine("sgetrf", 6)
_sgetrs = _routine("sgetrs", 9)


class Factors:
    """LU factors of matrices (matrix, n, n), float32 in C order, which are overwritten."""

    def __init__(self, matrices: np.ndarray) -> None:
        if matrices.dtype != np.float32 or not matrices.flags.c_contiguous:
            raise TypeError("matrices must be float32 in C order")
        self._matrices = matrices
        self._size = ctypes.c_int(matrices.shape[-1])
        self._pivots = np.empty(matrices.shape[:2], np.int32)
        self.singular = np.zeros(len(matrices), bool)
        info = ctypes.c_int(0)
        size = ctypes.byref(self._size)
        pairs = zip(matrices, self._pivots, strict=True)
        for i, (matrix, pivots) in enumerate(pairs):
            _sgetrf(
                size,
                size,
                matrix.ctypes.data,
                size,
                pivots.ctypes.data,
                ctypes.byref(info),
            )
            self.singular[i] = info.value != 0

    def solve(self, rows: np.ndarray, which: np.ndarray) -> np.ndarray:
        """matrix⁻¹ row for each row (row, n) and the matrix it belongs to (row,), in float64."""
        solved = np.ascontiguousarray(rows, np.float32)
        if solved is rows:
            solved = solved.copy()
        one = ctypes.c_int(1)
        info = ctypes.c_int(0)
        size = ctypes.byref(self._size)
        for row, i in zip(solved, which, strict=True):
            _sgetrs(
                b"T",  # LAPACK reads the rows as columns
                size,
                ctypes.byref(one),
                self._matrices[i].ctypes.data,
                size,
                self._pivots[i].ctypes.data,
                row.ctypes.data,
                size,
                ctypes.byref(info),
            )
        return solved.astype(np.float64)
