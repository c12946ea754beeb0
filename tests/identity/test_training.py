# SPDX-License-Identifier: Apache-2.0
"""Training mode: apart from the real work, refused where it cannot be apart, and erased."""

import datetime
import uuid

import pytest
from django.apps import apps
from django.db import connection, models
from django.utils import timezone
from tests.builders.office import user

from bluezone import training
from bluezone.identity.models import Role
from bluezone.training import TrainingMixin

NOW = timezone.now()
DAY = datetime.timedelta(days=1)


class Exercise(TrainingMixin):
    """A row that can be made in training mode."""

    made_at = models.DateTimeField(default=timezone.now)

    class Meta(TrainingMixin.Meta):
        app_label = "accounts"


# Only for this module: the program's own list of models stays as it is.
del apps.all_models["accounts"]["exercise"]
apps.clear_cache()


@pytest.fixture
def exercises(transactional_db, monkeypatch):
    with connection.schema_editor() as editor:
        editor.create_model(Exercise)
    monkeypatch.setattr(apps, "get_models", lambda *args, **kwargs: [Exercise])
    yield Exercise
    monkeypatch.undo()
    with connection.schema_editor() as editor:
        editor.delete_model(Exercise)


@pytest.fixture
def lan(client, db):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("lan", Role.HEALTH_WORKER))
    return client


def test_a_figure_never_counts_training_rows(exercises):
    exercises.everything.create(training=True)
    exercises.objects.create()

    assert exercises.objects.count() == 1
    assert exercises.everything.filter(training=True).count() == 1


def test_training_rows_are_erased_after_seven_days_and_real_ones_never(exercises):
    for age in (6, 7, 70):
        for practice in (True, False):
            exercises.everything.create(training=practice, made_at=NOW - age * DAY)

    assert training.purge(NOW) == 2
    left = exercises.everything.filter(training=True).values_list("made_at", flat=True)
    assert list(left) == [NOW - 6 * DAY]
    assert exercises.objects.count() == 3


def test_the_band_shows_on_every_page_until_it_is_ended(lan):
    assert 'class="training"' not in lan.get("/codes/").text
    lan.post("/training/")
    shown = lan.get("/delegations/").text
    assert 'class="training"' in shown
    assert "shows real data and stores nothing now" in shown
    assert "is not counted and is erased after 7 days" in lan.get("/codes/").text
    assert "is not counted and is erased after 7 days" in lan.get("/sessions/").text
    lan.post("/training/")

    assert 'class="training"' not in lan.get("/codes/").text


def test_in_training_mode_no_real_code_is_issued(lan, server):
    from bluezone.healthauthority.models import IssuedCode

    lan.post("/training/")
    form = {"case_class": "confirmed", "onset": str(timezone.localdate()), "form_id": str(uuid.uuid4())}
    made_up = lan.post("/codes/new/", form)

    assert "No phone accepts it" in made_up.text
    assert IssuedCode.objects.count() == 0


@pytest.mark.parametrize("path", ["/accounts/new/", "/agencies/new/", "/delegations/"])
def test_in_training_mode_what_is_not_kept_apart_is_refused(client, db, path):
    client.force_login(user("root", Role.ADMIN))
    client.post("/training/")

    assert client.post(path, {}).status_code == 409


def test_signing_out_works_in_training_mode_and_ends_it(lan):
    lan.post("/training/")
    assert lan.post("/sign-out/").url == "/sign-in/"
    lan.force_login(user("mai", Role.CLERK))

    assert 'class="training"' not in lan.get("/sessions/").text


def test_a_staff_report_made_in_training_is_in_no_figure_and_is_erased(client, db):
    from tests.builders.coverage import agency as made_agency
    from tests.builders.coverage import city

    from bluezone.rollout.report_week import parse_week
    from bluezone.rollout.staffing.models import StaffReport
    from bluezone.rollout.staffing.views import latest_week

    agency = made_agency("Phòng Nội vụ", city("phường Đức Xuân")[0])
    week = parse_week("", latest_week())
    client.force_login(user("ba", Role.OFFICER))
    client.post("/training/")
    numbers = {"staff": 9, "with_smartphone": 8, "running": 5, "web_edition": 1, "reminded": 2}

    assert client.post(f"/staff/agencies/{agency.pk}/?week={week}", numbers).status_code == 302
    assert StaffReport.objects.count() == 0
    made = StaffReport.everything.get()
    assert made.training
    assert training.purge(made.reported_at + 6 * DAY) == 0
    assert training.purge(made.reported_at + 7 * DAY) == 1
