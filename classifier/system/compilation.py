"""How functions are compiled: by Numba, on first use, once and for all."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba

# Neighbouring operations on neighbouring numbers become one vector instruction. Off by default in Numba, and only to
# be had for a whole process; it changes no result.
numba.config.SLP_VECTORIZE = 1  # type: ignore[attr-defined]

#: Compiles a function and keeps the result on disk. Arrays outlive the calls they are passed to, so nobody counts
#: references: threads would do so in turns, and it took a sixth of the time of one thread. Only a function that makes
#: arrays needs them counted, ``_nrt=True``.
compiled: Any = partial(numba.njit, cache=True, _nrt=False)
