# SPDX-License-Identifier: Apache-2.0
"""The classes that a web view or a voice calls: a Java class is made for each when the app is built (static proxies).

Kept to what cannot be elsewhere; every decision is in bluezone.handset.android. tools/apk reads this file without
running it, so Java classes are imported and used here by their own names.
"""

from android.net import Uri
from android.speech.tts import UtteranceProgressListener
from android.webkit import (
    PermissionRequest,
    ValueCallback,
    WebChromeClient,
    WebResourceRequest,
    WebResourceResponse,
    WebView,
    WebViewClient,
)
from java import Override, jarray, jboolean, jbyte, jvoid, static_proxy
from java.io import ByteArrayInputStream
from java.lang import String


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


class SpeechProgress(static_proxy(UtteranceProgressListener)):  # type: ignore[misc]
    """Hears of each piece that was read. `told` is set by voice.py."""

    @Override(jvoid, [String])
    def onStart(self, piece: str) -> None:
        """A piece begins."""

    @Override(jvoid, [String])
    def onDone(self, piece: str) -> None:
        """A piece was read."""
        self.told.put("done")

    @Override(jvoid, [String])
    def onError(self, piece: str) -> None:
        """A piece could not be read."""
        self.told.put("failed")
