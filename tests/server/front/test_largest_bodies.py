# SPDX-License-Identifier: Apache-2.0
"""That no call of an origin takes more than its front reads: what is cut there never reaches its view."""

import pytest

from bluezone.rollout.bulletins import forms as bulletins
from bluezone.rollout.canvass.visits import endpoints as canvass
from bluezone.rollout.directives.exchange import uploads as letters
from bluezone.rollout.gates import public_views as gates
from bluezone.rollout.loudspeakers import endpoints as loudspeakers
from bluezone.web import settings, settings_public


@pytest.mark.parametrize(
    "most",
    [canvass.MOST_BYTES, canvass.MOST_PHOTO_BYTES, gates.MOST_BYTES, loudspeakers.MOST_BYTES,
     settings_public.DATA_UPLOAD_MAX_MEMORY_SIZE],
)  # fmt: skip
def test_the_public_front_reads_the_largest_body_that_a_call_takes(most):
    assert most <= settings_public.MAX_BODY_BYTES


def test_the_office_front_reads_the_largest_file_that_a_form_takes():
    assert max(letters.LARGEST_FILE, bulletins.MOST_PHOTO_BYTES) < settings.MAX_BODY_BYTES
