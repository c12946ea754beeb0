# SPDX-License-Identifier: Apache-2.0
"""Training mode: the same screens with data of their own, in no figure, erased after seven days.

A browser is in training mode or not; the mark is in its session. A model whose rows can be made in training mode takes
TrainingMixin. A view that keeps training apart says so with @also_in_training; in training mode every other view that
would store something refuses, so that nobody issues a real code or sends a real letter for practice.
"""

import datetime
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django.apps import apps
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

TRAINING_KEY = "training"
KEPT = datetime.timedelta(days=7)
_Row = TypeVar("_Row", bound=models.Model)
View = Callable[..., HttpResponse]


def current_training(request: HttpRequest) -> bool:
    """Whether this browser is in training mode; what it stores must carry the answer in `training`."""
    session = getattr(request, "session", None)
    return bool(session is not None and session.get(TRAINING_KEY, False))


def also_in_training(view: View) -> View:
    """Declare that a view stores and shows training rows apart from real ones; put it above @audience."""
    view.also_in_training = True  # type: ignore[attr-defined]
    return view


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

    objects: ClassVar[Any] = RealManager()
    everything: ClassVar[Any] = models.Manager()

    class Meta:
        abstract = True
        # Cascades and constraints must see training rows too.
        base_manager_name = "everything"


def erase(now: datetime.datetime) -> int:
    """Delete what was made in training mode seven days ago or more; how many rows went. Called by the tick."""
    # Later apps refer to earlier ones, so their rows go first.
    return sum(_erase_of(model, now) for model in reversed(apps.get_models()) if issubclass(model, TrainingMixin))


def _erase_of(model: type[TrainingMixin], now: datetime.datetime) -> int:
    past = model.everything.filter(training=True, **{f"{model.TRAINING_MOMENT}__lte": now - KEPT})
    return int(past.delete()[0])


class TrainingMiddleware:
    """In training mode, refuse to store anything through a view that does not keep training apart."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing before the view is known."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """409 with what to do, for a form of the real work sent in training mode."""
        apart = getattr(view, "also_in_training", False)
        request.training_shown = apart  # type: ignore[attr-defined]
        if apart or request.method in ("GET", "HEAD") or not current_training(request):
            return None
        return render(request, "accounts/not_in_training.html", status=409)
