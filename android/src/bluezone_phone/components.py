# SPDX-License-Identifier: Apache-2.0
"""The classes that Android itself makes or calls: Chaquopy writes a Java class for each at build time (static proxies).

Kept to what cannot be elsewhere; every decision is in bluezone.handset.android. Chaquopy reads this file without
running it, so Java classes are imported and used here by their own names.
"""

from android.app import Service
from android.content import BroadcastReceiver, Context, Intent
from android.content.pm import ServiceInfo
from android.net import Uri
from android.os import Build, IBinder, PowerManager
from android.webkit import (
    PermissionRequest,
    ValueCallback,
    WebChromeClient,
    WebResourceRequest,
    WebResourceResponse,
    WebView,
    WebViewClient,
)
from java import Override, cast, jarray, jboolean, jbyte, jint, jvoid, static_proxy
from java.io import ByteArrayInputStream
from java.lang import Exception as JavaException

from bluezone.handset.android.notices import stopped_notice, waiting_notice
from bluezone.handset.android.permissions import may_run
from bluezone_phone.androiddevice import RUNNING_CHANNEL, RUNNING_ID, Parts, service_intent, state_of


class TracingService(static_proxy(Service)):  # type: ignore[misc]
    """The foreground service: lives with its permanent notice until the owner erases everything."""

    @Override(jint, [Intent, jint, jint])
    def onStartCommand(self, intent: Intent | None, flags: int, start_id: int) -> int:
        """Started by the app, by the phone's start, or by Android after it killed the process (intent is None then)."""
        parts = Parts.of(self)
        language = parts.setup.answers.language
        parts.device.make_channels(language)
        try:
            self._to_foreground(parts.device.built(waiting_notice(language), RUNNING_CHANNEL))
        except JavaException:  # a permission was withdrawn while the app was away: say so, and wait to be opened
            parts.device.show_news(stopped_notice(language))
            self.stopSelf()
            return int(Service.START_NOT_STICKY)
        if not may_run(state_of(self, parts.setup.answers), parts.setup.answers):
            parts.device.show_news(stopped_notice(language))
            self.stopSelf()
            return int(Service.START_NOT_STICKY)
        self._stay_awake()
        parts.tracing.start()
        return int(Service.START_STICKY)

    @Override(IBinder, [Intent])
    def onBind(self, intent: Intent) -> None:
        """Nobody binds to it."""

    @Override(jvoid, [])
    def onDestroy(self) -> None:
        """Told to end: everything heard goes to disk first."""
        Parts.of(self).tracing.stop()
        lock = getattr(self, "lock", None)
        if lock is not None and lock.isHeld():
            lock.release()

    def _to_foreground(self, notification: object) -> None:
        if int(Build.VERSION.SDK_INT) >= int(Build.VERSION_CODES.Q):
            self.startForeground(RUNNING_ID, notification, ServiceInfo.FOREGROUND_SERVICE_TYPE_CONNECTED_DEVICE)
        else:
            self.startForeground(RUNNING_ID, notification)

    def _stay_awake(self) -> None:
        """Rotation and scan bursts are timed here, and a sleeping processor would let an old identifier stand."""
        if getattr(self, "lock", None) is None:
            power = cast(PowerManager, self.getSystemService(Context.POWER_SERVICE))
            self.lock = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "bluezone:tracing")
            self.lock.acquire()


class StartReceiver(static_proxy(BroadcastReceiver)):  # type: ignore[misc]
    """The phone was started, or the app was updated."""

    @Override(jvoid, [Context, Intent])
    def onReceive(self, context: Context, intent: Intent) -> None:
        """Start the service if the owner agreed and nothing needed is missing."""
        answers = Parts.of(context).setup.answers
        if may_run(state_of(context, answers), answers):
            context.startForegroundService(service_intent(context))


class PageClient(static_proxy(WebViewClient)):  # type: ignore[misc]
    """Lets the web view open the phone's page and nothing else. `guard` is set by front.py."""

    @Override(jboolean, [WebView, WebResourceRequest])
    def shouldOverrideUrlLoading(self, view: WebView, request: WebResourceRequest) -> bool:
        """True: the view does not go there."""
        return not self.guard.follow(str(request.getUrl().toString()))

    @Override(WebResourceResponse, [WebView, WebResourceRequest])
    def shouldInterceptRequest(self, view: WebView, request: WebResourceRequest) -> WebResourceResponse | None:
        """An empty answer in place of whatever is not the phone's own."""
        if self.guard.may_load(str(request.getUrl().toString())):
            return None
        return WebResourceResponse("text/plain", "utf-8", ByteArrayInputStream(jarray(jbyte)(b"")))


class PageChrome(static_proxy(WebChromeClient)):  # type: ignore[misc]
    """The camera and the picture chooser for the scanner; nothing else that a page may ask for."""

    @Override(jvoid, [PermissionRequest])
    def onPermissionRequest(self, request: PermissionRequest) -> None:
        """The camera, for the phone's own page, if the owner lets the app have it."""
        wanted = [str(name) for name in request.getResources()]
        if wanted == [PermissionRequest.RESOURCE_VIDEO_CAPTURE] and self.guard.camera(str(request.getOrigin())):
            request.grant(request.getResources())
        else:
            request.deny()

    @Override(jboolean, [WebView, ValueCallback, WebChromeClient.FileChooserParams])
    def onShowFileChooser(
        self, view: WebView, chosen: "ValueCallback[Uri]", wanted: WebChromeClient.FileChooserParams
    ) -> bool:
        """A picture with a code in it."""
        self.guard.choose_picture(chosen, wanted.createIntent())
        return True
