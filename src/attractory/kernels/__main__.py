"""`python -m attractory.kernels`: compiles the kernels, where they are not yet, and says so."""

from __future__ import annotations

from attractory.kernels._native import kept_in, native

found = native()
print(f"kernels: {found}")
if found:
    print(f"compiler: {found.compiler}")
    print(f"kept in: {kept_in()}")
    print(f"bfloat16: {'yes' if found.bfloat16 else 'no: this processor has no AVX-512 BF16'}")
