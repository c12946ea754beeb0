# SPDX-License-Identifier: Apache-2.0
"""The app's one window: the app's own screens until everything is allowed, and then the phone's page."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from android.app import Activity
from android.content import Intent
from android.net import Uri
from android.provider import Settings
from android.webkit import WebChromeClient, WebView
from java import cast, dynamic_proxy, jarray
from java.lang import Runnable, RuntimeException, String

from bluezone.handset.android.pageguard import classify_address, may_load, read_action
from bluezone.handset.android.permissions import CAMERA, step_permissions
from bluezone.handset.android.window import Order, Reader, WindowContent, choose_content, handle_press
from bluezone_phone.androiddevice import Parts, maker, service_intent, state_of
from bluezone_phone.components import PageChrome, PageClient

_ASKED, _PICTURE = 1, 2

logger = logging.getLogger(__name__)


def guarded(answer: Any = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Of what Android calls on its main thread: an error there ends the whole app, the tracing with it.

    Whatever goes wrong is logged by its type alone, and `answer` is returned.
    """

    def wrap(work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def done(*given: Any) -> Any:
            try:
                return work(*given)
            except Exception as error:
                logger.error("the window: %s failed with %s", work.__name__, type(error).__name__)
                return answer

        return done

    return wrap


class OnMain(dynamic_proxy(Runnable)):  # type: ignore[misc]
    """Something to do on the window's thread."""

    def __init__(self, work: Any) -> None:
        super().__init__()
        self._work = work

    @guarded()
    def run(self) -> None:
        """Do it."""
        self._work()


class Front:
    """What the activity calls, on the main thread. activity: of this window. view: its web view."""

    def __init__(self, activity: Activity, view: WebView) -> None:
        self._activity, self._parts = activity, Parts.of(activity)
        self._shown: WindowContent | None = None
        self._opened: str | None = None
        self._chosen: Any = None
        self._reader = Reader(self._parts.device.voice, self._changed)
        self._view = view
        settings = self._view.getSettings()
        settings.setJavaScriptEnabled(True)
        settings.setAllowFileAccess(False)
        settings.setAllowContentAccess(True)  # a chosen picture is a content address
        settings.setGeolocationEnabled(False)
        settings.setSaveFormData(False)
        # Kept, because Java holds them weakly.
        self._client, self._chrome = PageClient(), PageChrome()
        self._client.guard = self._chrome.guard = self
        self._view.setWebViewClient(self._client)
        self._view.setWebChromeClient(self._chrome)

    @guarded()
    def onResume(self) -> None:
        """The window is seen, perhaps after one of Android's questions."""
        self._parts.tracing.on_change = self._changed
        self.show()

    @guarded()
    def onPause(self) -> None:
        """The window is seen no more: nothing of it is read aloud, either."""
        self._parts.device.voice.stop()

    @guarded()
    def onDestroy(self) -> None:
        """The window goes, the service stays; so does whatever another window was told of since."""
        if self._parts.tracing.on_change == self._changed:
            self._parts.tracing.on_change = lambda: None

    @guarded()
    def onActivityResult(self, request: int, result: int, data: Intent | None) -> None:
        """A picture was chosen, or not."""
        if request == _PICTURE and self._chosen is not None:
            self._chosen.onReceiveValue(WebChromeClient.FileChooserParams.parseResult(result, cast(Intent, data)))
            self._chosen = None

    def _changed(self) -> None:
        self._activity.runOnUiThread(OnMain(self.show))

    @guarded()
    def show(self) -> None:
        """Show what there is to show now; the page is not loaded again while it is open."""
        parts = self._parts
        state = state_of(self._activity, parts.setup.answers, self._activity)
        self._shown = now = choose_content(state, parts.setup, parts.tracing, maker())
        if now.start:
            self._start_service()
        if now.address is not None:
            if self._reader.reading:
                self._reader.stop()
            if now.address != self._opened:
                self._view.loadUrl(now.address)
        elif now.screen is not None:
            self._view.loadDataWithBaseURL(
                "about:blank", self._reader.with_reading_state(now.screen).html, "text/html", "utf-8", ""
            )
        self._opened = now.address

    @guarded(answer=False)
    def follow(self, address: str) -> bool:
        """Whether the view may go to an address; buttons and telephone numbers are acted on here."""
        verdict = classify_address(address, self._parts.tracing.url)
        if verdict == "act" and self._shown is not None and self._shown.screen is not None:
            action = read_action(address, self._shown.screen.actions)
            if action == "read":
                self._reader.toggle(self._shown.screen)
            elif action is not None:
                self._do(handle_press(action, self._shown, self._parts.setup, self._parts.tracing))
        elif verdict == "dial":
            self._open(Intent(Intent.ACTION_DIAL, Uri.parse(address)))
        return verdict == "open"

    @guarded(answer=False)
    def may_load(self, address: str) -> bool:
        """Whether a page may have a file; called on a thread of the web view's."""
        own_screen = self._shown is not None and self._shown.screen is not None
        return may_load(address, self._parts.tracing.url, own_screen)

    @guarded(answer=False)
    def back(self) -> bool:
        """Go back within the page; False where what is behind is none of it, such as the screens before it."""
        past = self._view.copyBackForwardList()
        before = int(past.getCurrentIndex()) - 1
        if self._shown is None or self._shown.screen is not None or before < 0:
            return False
        if classify_address(str(past.getItemAtIndex(before).getUrl()), self._parts.tracing.url) != "open":
            return False
        self._view.goBack()
        return True

    @guarded(answer=False)
    def camera(self, origin: str) -> bool:
        """Whether the page at an origin may have the camera now; asks the owner if that was not done yet."""
        page = self._parts.tracing.url
        if page is None or classify_address(page, origin.rstrip("/") + "/") != "open":
            return False
        if CAMERA in state_of(self._activity, self._parts.setup.answers).granted:
            return True
        self._activity.requestPermissions(jarray(String)([String(CAMERA)]), _ASKED)
        return False

    @guarded()
    def choose_picture(self, chosen: Any, intent: Intent) -> None:
        """Let the owner choose; the page hears of it in onActivityResult."""
        if self._chosen is not None:
            self._chosen.onReceiveValue(None)
        self._chosen = chosen
        try:
            self._activity.startActivityForResult(intent, _PICTURE)
        except RuntimeException as missing:
            logger.error("no picture can be chosen: %s", type(missing).__name__)
            self._chosen = None
            chosen.onReceiveValue(None)

    def _do(self, order: Order) -> None:
        package = Uri.parse(f"package:{self._activity.getPackageName()}")
        if order == "ask" and self._shown is not None:
            names = jarray(String)([String(name) for name in step_permissions(self._shown.step)])
            self._activity.requestPermissions(names, _ASKED)
            return
        if order == "app_settings":
            self._open(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, package), Intent(Settings.ACTION_SETTINGS))
        elif order == "location_settings":
            self._open(Intent(Settings.ACTION_LOCATION_SOURCE_SETTINGS), Intent(Settings.ACTION_SETTINGS))
        elif order == "battery_question":
            question = Intent(Settings.ACTION_REQUEST_IGNORE_BATTERY_OPTIMIZATIONS, package)
            listed = Intent(Settings.ACTION_IGNORE_BATTERY_OPTIMIZATION_SETTINGS)
            self._open(question, listed, Intent(Settings.ACTION_SETTINGS))
        self.show()

    def _open(self, *screens: Intent) -> None:
        """Open the first of some system screens that this phone has: makers remove some; a tablet has no dialler."""
        for screen in screens:
            try:
                self._activity.startActivity(screen)
            except RuntimeException as missing:  # ActivityNotFoundException, or one that is not for other apps
                logger.error("a system screen does not open: %s", type(missing).__name__)
            else:
                return

    def _start_service(self) -> None:
        try:
            self._activity.startForegroundService(service_intent(self._activity))
        except RuntimeException as refused:  # Android 12 and later, where the window is not in front any more
            logger.error("Android does not let the service start: %s", type(refused).__name__)


def begin(activity: Activity, view: WebView) -> Front:
    """The Python side of a new window."""
    return Front(activity, view)
