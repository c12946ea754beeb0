# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, headless, for tests and for the bench of pages.

The headless shell is preferred if it is installed: it needs half the CPU time for the same pages.
"""

import asyncio
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

# WHOLE: browsers with windows, which are not visible in headless mode.
SHELLS = ("chromium-headless-shell",)
WHOLE = ("chromium", "chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The language of a phone in Việt Nam: pages and the web edition follow the browser's list.
    "--accept-lang=vi-VN,vi",
    # Pages of one context share a process instead of starting one each.
    "--renderer-process-limit=1",
)
# How long to wait for a page, so that a busy machine fails no test.
PATIENCE_MILLISECONDS = 120_000
# How long a page may take to close. Playwright itself would wait without end for a browser that does not answer.
CLOSE_SECONDS = 60
# A file as the camera.
FILMING = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def executable(whole: bool = False) -> str | None:
    """The path, None if it is not installed. whole: a browser with windows, which notifications need."""
    programs = WHOLE if whole else (*SHELLS, *WHOLE)
    return next(filter(None, map(shutil.which, programs)), None)


def needed(whole: bool = False) -> str:
    """The path; skips the test, and names the packages, if it is not installed."""
    path = executable(whole)
    if path is None:
        pytest.skip("needs chromium: sudo apt-get install chromium chromium-headless-shell")
    return path


@contextmanager
def launched(*more: str) -> Iterator[Any]:
    """A browser with additional flags, for a test that needs them."""
    path = needed()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *more])
        yield browser
        browser.close()


class SharedBrowser:
    """One browser for all tests of a process. It lends contexts: a closed one is emptied and lent again.

    A new context starts three processes and takes a second of a core, a new page in an existing one a third of that.
    """

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._free: dict[str, list[LentContext]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._browser, name)

    def fresh_context(self, **options: Any) -> Any:
        """A context that was never used, for measurements: a service worker of another test may still load."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        return context

    def new_context(self, **options: Any) -> "LentContext":
        """An empty context, as playwright makes one."""
        free = self._free.setdefault(repr(sorted(options.items())), [])
        context = free.pop() if free else LentContext(self._browser.new_context(**options), free)
        context.begin()
        return context


class LentContext:
    """A context of playwright that `close` empties, or really closes if emptying is not enough."""

    # Calls that change a context permanently.
    _LASTING = frozenset({"add_init_script", "expose_binding", "expose_function", "on", "once", "route", "tracing"})

    def __init__(self, context: Any, free: "list[LentContext]") -> None:
        self._context = context
        self._free = free
        # An empty page, because only a page can clear the storage of an origin.
        self._home = context.new_page()
        self._devtools = context.new_cdp_session(self._home)
        self._origins: set[str] = set()
        self._spent = False

    def __getattr__(self, name: str) -> Any:
        self._spent = self._spent or name in self._LASTING
        return getattr(self._context, name)

    def begin(self) -> None:
        """Record the origins opened from now on, and set the timeout for a busy machine."""
        self._origins.clear()
        self._context.set_default_timeout(PATIENCE_MILLISECONDS)

    @property
    def pages(self) -> list[Any]:
        """Every page that a test or a script has opened."""
        return [page for page in self._context.pages if page is not self._home]

    def new_page(self) -> Any:
        """An empty page."""
        page = self._context.new_page()
        page.on("framenavigated", lambda frame: self._note(frame.url))
        return page

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme.startswith("http"):
            self._origins.add(f"{parts.scheme}://{parts.netloc}")

    def close(self) -> None:
        """Close its pages and clear everything that they stored; the context may be lent again.

        If Chromium does not close a page in time, the context is left as it is and never lent again.
        """
        if self._spent:
            self._context.close()
            return
        for page in self.pages:
            self._note(page.url)
            if not _close_in_time(page):
                return
        self._context.set_offline(False)
        self._context.clear_cookies()
        self._context.clear_permissions()
        for origin in self._origins:
            self._devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        self._devtools.send("Network.clearBrowserCache")
        self._free.append(self)


def _close_in_time(page: Any) -> bool:
    """Close a page; returns False if that takes longer than CLOSE_SECONDS."""
    try:
        # The public call does the same without a timeout.
        page._sync(asyncio.wait_for(page._impl_obj.close(run_before_unload=False, reason=None), CLOSE_SECONDS))
    except TimeoutError:
        warnings.warn(f"Chromium has not closed {page.url} in {CLOSE_SECONDS} s", stacklevel=3)
        return False
    return True


@contextmanager
def hidden_loop() -> Iterator[asyncio.AbstractEventLoop | None]:
    """Yield the event loop that playwright keeps running, and hide it, so that other tests can run their own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield loop
    finally:
        asyncio._set_running_loop(loop)
