# SPDX-License-Identifier: Apache-2.0
"""The app's window on phones that lack a screen, or have no room: it goes on, and nothing reaches Android's thread."""

import pytest
from tests.builders.androidphone import wait_for
from tests.builders.androidwindow import ActivityNotFoundException, Java, open_window

DIAL, SETTINGS = "Intent.ACTION_DIAL", "Settings.ACTION_SETTINGS"
BATTERY = "Settings.ACTION_REQUEST_IGNORE_BATTERY_OPTIMIZATIONS"
APP, LOCATION = "Settings.ACTION_APPLICATION_DETAILS_SETTINGS", "Settings.ACTION_LOCATION_SOURCE_SETTINGS"


class Chosen:
    """What the page waits with for a picture. answers: what it was given."""

    def __init__(self):
        self.answers = []

    def onReceiveValue(self, value):
        self.answers.append(value)


def answered(window, **answers):
    """The owner's answers so far, and what the window shows then."""
    window._parts.setup.update(agreed=True, notices_asked=True, battery_asked=True, maker_read=True, **answers)
    window.show()


def test_a_phone_with_every_screen_opens_each(phone):
    with open_window(phone, DIAL, BATTERY, APP, LOCATION) as (window, activity, _):
        assert window.follow("tel:115") is False
        for order in ("app_settings", "location_settings", "battery_question"):
            window._do(order)

    assert activity.opened == [DIAL, APP, LOCATION, BATTERY]


def test_where_nothing_dials_the_page_stays(phone):
    with open_window(phone) as (window, activity, _):
        assert window.follow("tel:02093870000") is False

    assert activity.opened == [DIAL]


@pytest.mark.parametrize("order", ["app_settings", "location_settings", "battery_question"])
def test_where_a_setting_has_no_screen_the_phones_settings_open(phone, order):
    with open_window(phone, SETTINGS) as (window, activity, view):
        window._do(order)

    assert activity.opened[-1] == SETTINGS
    assert view.page, "the window goes on"


@pytest.mark.parametrize("order", ["app_settings", "location_settings", "battery_question"])
def test_where_there_are_no_settings_at_all_the_window_goes_on(phone, order):
    with open_window(phone) as (window, _, view):
        window._do(order)

    assert view.page


def test_a_scanner_without_a_picture_chooser_can_be_used_again(phone):
    chosen, again = Chosen(), Chosen()
    with open_window(phone) as (window, _, _):
        window.choose_picture(chosen, Java("Intent.ACTION_GET_CONTENT"))
        assert chosen.answers == [None]
        window.choose_picture(again, Java("Intent.ACTION_GET_CONTENT"))

    assert (chosen.answers, again.answers) == ([None], [None])


def test_a_window_that_android_lets_start_no_service_is_shown_all_the_same(phone):
    with open_window(phone) as (window, activity, view):
        activity.refuses_service = True
        answered(window)

    assert view.page


def test_no_error_of_the_window_reaches_androids_thread(phone):
    with open_window(phone) as (window, _, view):

        def broken(*_):
            raise ActivityNotFoundException("whatever it was")

        view.loadDataWithBaseURL = view.goBack = broken
        window.onResume()
        window.show()
        assert window.follow("bluezone:language") is False
        assert window.back() is False
        assert window.camera("null") is False
        window.onPause()
        window.onDestroy()


def test_what_changed_in_the_service_is_shown_on_androids_thread_without_an_error(phone):
    with open_window(phone) as (window, activity, view):
        done = []
        activity.runOnUiThread = done.append
        answered(window)
        window.onResume()
        window._parts.tracing.start()
        wait_for(lambda: len(done) > 0)
        view.loadUrl = lambda address: (_ for _ in ()).throw(ActivityNotFoundException(address))
        wait_for(lambda: window._parts.tracing.url)
        for work in done:
            work.run()
        window._parts.tracing.stop()
