# SPDX-License-Identifier: Apache-2.0
"""How many random rows are put among real ones: the negative binomial distribution.

It is not drawn by numpy, because numpy may change its generators with a release.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Number of successes of the distribution; with mean 50 its standard deviation is 36.
_SUCCESSES = 2


@cache
def cumulative_chances(mean: int, share: float = 1.0) -> NDArray[np.float64]:
    """P(count <= k) for k = 0, 1, ... until the remaining probability is below 2**-60.

    mean: that of a whole period. share: the share of a period for which rows are drawn.
    """
    failure = mean / (_SUCCESSES + mean)
    successes = _SUCCESSES * share
    probability = (1 - failure) ** successes
    sums = [probability]
    k = 0
    while probability > 2.0**-70 or k < mean * share:
        probability *= (k + successes) / (k + 1) * failure
        sums.append(sums[-1] + probability)
        k += 1
    return np.array(sums, dtype=np.float64).clip(max=1.0)
