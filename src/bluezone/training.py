# SPDX-License-Identifier: Apache-2.0
"""Training mode: the same screens with data of their own, in no figure, erased after seven days.

A browser is in training mode or not; the mark is in its session. A model whose rows can be made in training mode takes
TrainingMixin. A view that keeps training apart says so with @also_in_training; in training mode every other view that
would store something refuses, so that nobody issues a real code or sends a real letter for practice.

Whole duties are practised with PractisedMixin and @practised: within such a view every query of those models finds, and
every row made is, of the mode the browser is in, and nothing goes into the audit. Everywhere else (the tick, commands,
other views) the same queries find the real work alone.
"""

import contextlib
import contextvars
import datetime
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

TRAINING_KEY = "training"
KEPT = datetime.timedelta(days=7)
_Row = TypeVar("_Row", bound=models.Model)
View = Callable[..., HttpResponse]
_practising: contextvars.ContextVar[bool] = contextvars.ContextVar("practising", default=False)


def practising() -> bool:
    """Whether what runs now is practice: a @practised view of a browser in training mode."""
    return _practising.get()


@contextlib.contextmanager
def practice() -> Iterator[None]:
    """Run a block as practice."""
    token = _practising.set(True)
    try:
        yield
    finally:
        _practising.reset(token)


def current_training(request: HttpRequest) -> bool:
    """Whether this browser is in training mode; what it stores must carry the answer in `training`."""
    session = getattr(request, "session", None)
    return bool(session is not None and session.get(TRAINING_KEY, False))


def also_in_training(view: View) -> View:
    """Declare that a view stores and shows training rows apart from real ones; put it above @audience."""
    view.also_in_training = True  # type: ignore[attr-defined]
    return view


def practised(view: View) -> View:
    """Declare that all a view stores and shows is of models with PractisedMixin; put it above @audience."""
    view.practised = True  # type: ignore[attr-defined]
    return also_in_training(view)


class RealManager(models.Manager[_Row]):
    """Without anything of training mode, so that no figure can count it by forgetting to leave it out."""

    def get_queryset(self) -> models.QuerySet[_Row]:
        """Rows of the real work."""
        return super().get_queryset().filter(training=False)


class TrainingMixin(models.Model):
    """For rows that can be made in training mode.

    objects:         the real work only. everything: both; filter(training=current_training(request)) for a screen.
    TRAINING_MOMENT: name of the field that says when a row was made; training rows older than seven days are erased.
    """

    TRAINING_MOMENT: ClassVar[str] = "made_at"

    training = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[Self]] = RealManager()
    everything: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        abstract = True
        # Cascades and constraints must see training rows too.
        base_manager_name = "everything"


class ModeManager(models.Manager[_Row]):
    """Rows of the mode that is on: practice within a @practised view in training mode, else the real work."""

    def get_queryset(self) -> models.QuerySet[_Row]:
        """Rows of the mode."""
        return super().get_queryset().filter(training=practising())


class PractisedMixin(TrainingMixin):
    """For rows of a duty that is practised as a whole. TRAINING_MOMENT "": erased with the row it hangs on."""

    training = models.BooleanField(default=practising, editable=False)

    objects: ClassVar[models.Manager[Self]] = ModeManager()

    class Meta(TrainingMixin.Meta):
        abstract = True


def erase_by(model: type[TrainingMixin], eraser: Callable[[datetime.datetime], int]) -> None:
    """Let `eraser` delete what was practised of a model whose rows hang together with those of others.

    eraser: takes the present moment, and returns how many rows went. Called when the app of the model starts.
    """
    _erasers[model] = eraser


def erase(now: datetime.datetime) -> int:
    """Delete what was made in training mode seven days ago or more; how many rows went. Called by the tick."""
    # Later apps refer to earlier ones, so their rows go first.
    models_in_training = [model for model in reversed(apps.get_models()) if issubclass(model, TrainingMixin)]
    return sum(_erasers[model](now) if model in _erasers else _erase_past(model, now) for model in models_in_training)


def _erase_past(model: type[TrainingMixin], now: datetime.datetime) -> int:
    if not model.TRAINING_MOMENT:
        return 0
    past = model.everything.filter(training=True, **{f"{model.TRAINING_MOMENT}__lte": now - KEPT})
    return int(past.delete()[0])


_erasers: dict[type[TrainingMixin], Callable[[datetime.datetime], int]] = {}


class TrainingMiddleware:
    """In training mode, refuse to store anything through a view that does not keep training apart."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing before the view is known; afterwards the thread practises no more."""
        token = _practising.set(False)
        try:
            return self.get_response(request)
        finally:
            _practising.reset(token)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """409 with what to do, for a form of the real work sent in training mode."""
        apart = getattr(view, "also_in_training", False)
        request.training_shown = apart  # type: ignore[attr-defined]
        if getattr(view, "practised", False) and current_training(request):
            _practising.set(True)
        if apart or request.method in ("GET", "HEAD") or not current_training(request):
            return None
        return render(request, "accounts/not_in_training.html", status=409)
