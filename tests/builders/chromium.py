# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, headless, for tests and for the bench of pages.

Where it can be had without the windows of a browser it is: that takes half the work for the same pages.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

# The second have windows, though nobody sees them.
SHELLS, WHOLE = ("chromium-headless-shell",), ("chromium", "chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A telephone here, unless a test says otherwise: pages and the web edition go by what the browser lists.
    "--accept-lang=vi-VN,vi",
    # Pages of one context share a process instead of starting one each.
    "--renderer-process-limit=1",
)
# For whatever a page is to come to show: a machine that does much else is no finding.
PATIENCE_MILLISECONDS = 120_000
# Filming a file instead of what a camera sees.
FILMING = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def executable(whole: bool = False) -> str | None:
    """Where it is, None where it is not installed. whole: with windows, without which there is no notification."""
    return next(filter(None, map(shutil.which, WHOLE if whole else (*SHELLS, *WHOLE))), None)


def needed(whole: bool = False) -> str:
    """Where it is; without it a test says so by name and skips."""
    path = executable(whole)
    if path is None:
        pytest.skip("needs chromium: sudo apt-get install chromium chromium-headless-shell")
    return path


@contextmanager
def launched(*more: str) -> Iterator[Any]:
    """A browser with more flags, for a test that needs it."""
    path = needed()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *more])
        yield browser
        browser.close()


class SharedBrowser:
    """One browser for all tests of a process. Its contexts are lent: a closed one is emptied and lent again.

    A new context starts three processes and takes a second of a core, a new page in one that is there a third of it.
    """

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._free: dict[str, list[LentContext]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._browser, name)

    def fresh_context(self, **options: Any) -> Any:
        """A context that nobody had before, for what is weighed: a service worker of another test may still load."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        return context

    def new_context(self, **options: Any) -> "LentContext":
        """A context with nothing in it, as playwright makes one."""
        free = self._free.setdefault(repr(sorted(options.items())), [])
        context = free.pop() if free else LentContext(self._browser.new_context(**options), free)
        context.begin()
        return context


class LentContext:
    """A context of playwright that is emptied when it is closed, and really closed where that would not do."""

    # What stays with a context for good.
    _LASTING = frozenset({"add_init_script", "expose_binding", "expose_function", "on", "once", "route", "tracing"})

    def __init__(self, context: Any, free: "list[LentContext]") -> None:
        self._context, self._free = context, free
        # An empty page, because only a page can ask for the storage of an origin to be emptied.
        self._home = context.new_page()
        self._devtools = context.new_cdp_session(self._home)
        self._origins: set[str] = set()
        self._spent = False

    def __getattr__(self, name: str) -> Any:
        self._spent = self._spent or name in self._LASTING
        return getattr(self._context, name)

    def begin(self) -> None:
        """Note the origins of whatever is opened from now on, and wait for it as long as a busy machine needs."""
        self._origins.clear()
        self._context.set_default_timeout(PATIENCE_MILLISECONDS)

    @property
    def pages(self) -> list[Any]:
        """Every page that a test or a script has opened."""
        return [page for page in self._context.pages if page is not self._home]

    def new_page(self) -> Any:
        """A page with nothing in it."""
        page = self._context.new_page()
        page.on("framenavigated", lambda frame: self._note(frame.url))
        return page

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme.startswith("http"):
            self._origins.add(f"{parts.scheme}://{parts.netloc}")

    def close(self) -> None:
        """Close its pages and forget all that they have stored; it may be lent again."""
        if self._spent:
            self._context.close()
            return
        for page in self.pages:
            self._note(page.url)
            page.close()
        self._context.set_offline(False)
        self._context.clear_cookies()
        self._context.clear_permissions()
        for origin in self._origins:
            self._devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        self._devtools.send("Network.clearBrowserCache")
        self._free.append(self)


@contextmanager
def hidden_loop() -> Iterator[asyncio.AbstractEventLoop | None]:
    """Give the event loop that playwright keeps running, and hide it, so that tests without it can run their own."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield loop
    finally:
        asyncio._set_running_loop(loop)
