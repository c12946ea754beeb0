# SPDX-License-Identifier: Apache-2.0
"""How likely a sentence of a letter orders something, by weights learnt from letters whose orders are known.

Logistic models over the names of features; `bench/letters/learning.py` learns the weights and says how well they do on
letters they were not learnt from.
"""

import functools
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

WEIGHTS: Final = Path(__file__).with_name("weights.json")
# A sentence of many words is no surer than a short one: the sum goes by the root of their number.
SCALE: Final = 4.0


def likelihood(model: str, features: Iterable[str]) -> float:
    """Return the logit of how likely a sentence orders something: 0 for even, 2 for 7 to 1.

    model: "any" for any sentence, "unread" for one in which the rules read no order.
    """
    weights = weights_of(model)
    known = [weights[name] for name in features if name in weights]
    return weights[""] + SCALE * sum(known) / math.sqrt(max(len(known), 1))


def sum_of(model: str, numbers: Mapping[str, float]) -> float:
    """Return the logit that the model gives to a candidate by its numbers. model: "kept" or "added"."""
    weights = weights_of(model)
    return weights[""] + sum(weights.get(name, 0.0) * value for name, value in numbers.items())


def weights_of(model: str) -> Mapping[str, float]:
    """The weights of a model by name; "" has its bias."""
    return _all_weights()[model]


@functools.cache
def _all_weights() -> dict[str, dict[str, float]]:
    read: dict[str, dict[str, float]] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return read
