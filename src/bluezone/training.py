# SPDX-License-Identifier: Apache-2.0
"""Training mode: the same screens with separate data, which no figure counts and which are purged after seven days.

A browser is in training mode or not; the mark is in its session. A model with rows that can be made in training mode
uses TrainingMixin. A view that separates training from real rows declares this with @also_in_training; in training mode
every other view refuses to store anything, so that no one issues a real code or sends a real letter for practice.

Whole duties are practised with PractisedMixin and @practised. Within such a view, all queries of those models and all
new rows are of the browser's mode, and the audit gets no entry. Everywhere else (the tick, commands, other views) the
same queries find only the real work.
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
RETENTION = datetime.timedelta(days=7)
_Row = TypeVar("_Row", bound=models.Model)
View = Callable[..., HttpResponse]
_practising: contextvars.ContextVar[bool] = contextvars.ContextVar("practising", default=False)


def practising() -> bool:
    """Whether the current code runs as practice: in a @practised view of a browser in training mode."""
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
    """Whether this browser is in training mode; the rows that it stores must have the answer in `training`."""
    session = getattr(request, "session", None)
    return bool(session is not None and session.get(TRAINING_KEY, False))


def also_in_training(view: View) -> View:
    """Declare that a view stores and shows training rows separately from real ones; put it above @audience."""
    view.also_in_training = True  # type: ignore[attr-defined]
    return view


def practised(view: View) -> View:
    """Declare that a view stores and shows only models with PractisedMixin; put it above @audience."""
    view.practised = True  # type: ignore[attr-defined]
    return also_in_training(view)


class RealManager(models.Manager[_Row]):
    """Leaves out all rows of training mode, so that no figure can count them by mistake."""

    def get_queryset(self) -> models.QuerySet[_Row]:
        """Rows of the real work."""
        return super().get_queryset().filter(training=False)


class TrainingMixin(models.Model):
    """For rows that can be made in training mode.

    objects:         only the real work. everything: both; filter(training=current_training(request)) for a screen.
    TRAINING_MOMENT: name of the field with the time at which a row was made; training rows are purged after seven days.
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
    """Rows of the current mode: practice within a @practised view in training mode, else the real work."""

    def get_queryset(self) -> models.QuerySet[_Row]:
        """Rows of the current mode."""
        return super().get_queryset().filter(training=practising())


class PractisedMixin(TrainingMixin):
    """For rows of a duty that is practised as a whole. TRAINING_MOMENT "": purged with the row that it belongs to."""

    training = models.BooleanField(default=practising, editable=False)

    objects: ClassVar[models.Manager[Self]] = ModeManager()

    class Meta(TrainingMixin.Meta):
        abstract = True


def purge_with(model: type[TrainingMixin], purger: Callable[[datetime.datetime], int]) -> None:
    """Let `purger` delete the training rows of a model that are linked with rows of other models.

    purger: takes the current time and returns the number of deleted rows. Call this when the app of the model starts.
    """
    _purgers[model] = purger


def purge(now: datetime.datetime) -> int:
    """Delete rows made in training mode seven days ago or earlier; returns their number. Called by the tick."""
    # Later apps refer to earlier ones, so their rows go first.
    models_in_training = [model for model in reversed(apps.get_models()) if issubclass(model, TrainingMixin)]
    return sum(_purgers[model](now) if model in _purgers else _purge_past(model, now) for model in models_in_training)


def _purge_past(model: type[TrainingMixin], now: datetime.datetime) -> int:
    if not model.TRAINING_MOMENT:
        return 0
    past = model.everything.filter(training=True, **{f"{model.TRAINING_MOMENT}__lte": now - RETENTION})
    return int(past.delete()[0])


_purgers: dict[type[TrainingMixin], Callable[[datetime.datetime], int]] = {}


class TrainingMiddleware:
    """In training mode, refuse to store anything through a view that does not separate training rows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Start without practice until the view is known, and end the practice of this thread afterwards."""
        token = _practising.set(False)
        try:
            return self.get_response(request)
        finally:
            _practising.reset(token)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """409 with advice, for a form of the real work that is sent in training mode."""
        is_separate = getattr(view, "also_in_training", False)
        request.training_shown = is_separate  # type: ignore[attr-defined]
        if getattr(view, "practised", False) and current_training(request):
            _practising.set(True)
        if is_separate or request.method in ("GET", "HEAD") or not current_training(request):
            return None
        return render(request, "accounts/not_in_training.html", status=409)
