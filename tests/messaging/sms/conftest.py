# SPDX-License-Identifier: Apache-2.0
"""An office whose text messages go to a real message centre, for every test of the outbox."""

import datetime

import pytest
from tests.builders.office import data_folder, furnished_folder, quick_passwords
from tests.builders.smsc import Centre

from bluezone.messaging.sms.providers import read_sms_url
from bluezone.messaging.sms.providers.smpp import SmppProvider
from bluezone.messaging.sms.sender import Sender

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]


@pytest.fixture(scope="module")
def running_centre(tmp_path_factory):
    """One message centre a module."""
    with Centre(tmp_path_factory.mktemp("smsc")) as centre:
        yield centre


@pytest.fixture
def centre(running_centre, settings):
    """The message centre with an empty book and its usual ways; Django's settings name it."""
    running_centre.kill()
    running_centre.log.unlink(missing_ok=True)
    running_centre.start()
    settings.SMS = read_sms_url(running_centre.address())
    return running_centre


@pytest.fixture
def sender(centre):
    """A sender that is bound to it."""
    made = Sender(SmppProvider(centre.smsc()))
    yield made
    made.close()


@pytest.fixture
def now():
    """Eleven in the evening in Bắc Kạn."""
    return datetime.datetime(2026, 11, 24, 16, 0, tzinfo=datetime.UTC)
