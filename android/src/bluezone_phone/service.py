# SPDX-License-Identifier: Apache-2.0
"""What the Java service calls, on the engine's thread and in Android's order; waiting here keeps nobody waiting."""

from typing import TYPE_CHECKING

from bluezone.handset.android.notices import stopped_notice
from bluezone.handset.android.permissions import may_run
from bluezone_phone.androiddevice import Parts, state_of

if TYPE_CHECKING:
    from android.app import Service
    from android.content import Context


def started(service: "Service") -> None:
    """The service is in the foreground already, with a notice of its own: run the phone, or say why not and end."""
    parts = Parts.of(service)
    parts.device.make_channels(parts.setup.answers.language)
    if may_run(state_of(service, parts.setup.answers), parts.setup.answers):
        parts.tracing.start()
    else:
        parts.device.show_news(stopped_notice(parts.setup.answers.language))
        service.stopSelf()


def woken(context: "Context") -> None:
    """The alarm came that was asked for."""
    Parts.of(context).tracing.on_alarm()


def ended(service: "Service") -> None:
    """The service was told to end: everything heard goes to disk."""
    Parts.of(service).tracing.stop()
