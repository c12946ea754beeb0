# SPDX-License-Identifier: Apache-2.0
"""Python and every processor of the native matcher answer the same."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.protocol.identifiers import rolling_proximity_identifier
from bluezone.protocol.kernel import PROCESSORS
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.matching import SightingIndex

START = 20781 * 144
EVERY_WAY = ("python", *PROCESSORS)


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_way_answers_the_same(data):
    """Whatever the periods, starts, times and repeats: keys at the edge of 32 bits, sightings of near-equal bits."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = random.Random(seed)
    starts = data.draw(
        st.lists(st.sampled_from([START, START + 5, START + 144, 0, 2**32 - 150, -1, 2**40]), max_size=40)
    )
    keys = [DiagnosisKey(rng.randbytes(16), start, data.draw(st.integers(-1, 150))) for start in starts]
    valid = [key for key in keys if 0 <= key.start < 2**32 - 144]
    sightings, times = [rng.randbytes(16)], [START * 600.0]
    for _ in range(data.draw(st.integers(0, 60)) if valid else 0):
        key = rng.choice(valid)
        interval = key.start + rng.randrange(144)
        heard = bytearray(rolling_proximity_identifier(key.key, interval))
        if rng.randrange(4) == 0:
            heard[rng.randrange(16)] ^= 1 << rng.randrange(8)
        sightings.append(bytes(heard))
        times.append((interval + rng.randrange(-15, 16)) * 600 + float(rng.randrange(600)))
    identifiers = b"".join(sightings)
    late = range(*sorted(data.draw(st.tuples(st.integers(-13, 0), st.integers(1, 14)))))

    for arguments in ((None, late), (times, late)):
        answers = [SightingIndex(identifiers, *arguments, processor=way).match(keys) for way in EVERY_WAY]
        assert all(answer == answers[0] for answer in answers)
