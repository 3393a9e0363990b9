"""Names for the kinds of arrays that pass between rooms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Numbers: probabilities, logits, coefficients.
Floats = npt.NDArray[np.float64]

#: Yes or no: labels, decisions, signs.
Bools = npt.NDArray[np.bool_]

#: Row numbers of a corpus.
Rows = npt.NDArray[np.intp]
