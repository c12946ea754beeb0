# SPDX-License-Identifier: Apache-2.0
"""The tables of bulletins: bulletins with their texts and sounds, outlets, schedules, airings and attestations."""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit, Agency
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.speech import spoken
from bluezone.training import PractisedMixin


class Importance(models.TextChoices):
    """The three classes of Circular 39/2020; `air.precedence.Precedence` has their order."""

    NORMAL = "normal", _("Ordinary (thông thường)")
    PRIORITY = "priority", _("Priority (ưu tiên)")
    EMERGENCY = "emergency", _("Emergency (khẩn cấp)")


class Language(models.TextChoices):
    """Languages of a bulletin; only Vietnamese and English have a machine's voice."""

    VI = "vi", _("Vietnamese")
    EN = "en", _("English")
    TAY = "tay", _("Tày")
    NUNG = "nung", _("Nùng")
    DAO = "dao", _("Dao")
    HMONG = "hmong", _("Mông")


MACHINE_LANGUAGES = frozenset({Language.VI, Language.EN})


class Sound(models.Model):
    """One MP3 as it is played; deleted once no text refers to it (`retention.purge`).

    loudness_lufs, peak_dbtp: of the stored file, measured by ffmpeg's ebur128. is_human: it is a person's recording.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    content = models.BinaryField()
    seconds = models.FloatField()
    loudness_lufs = models.FloatField()
    peak_dbtp = models.FloatField()
    is_human = models.BooleanField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(seconds__gt=0), name="sound_lasts")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} {self.seconds:.0f} s"


class Bulletin(PractisedMixin):
    """A message to the public, with its texts in all languages and versions.

    relay: name of a station in the city's list (`relay_stations`), empty if the bulletin is no relay. The station's
    stream is aired for `relay_minutes`, and the text only while the stream fails.
    Personal data: the account that made it, an official duty.
    """

    title = models.CharField(_("Title"), max_length=120)
    importance = models.CharField(
        _("Class of the bulletin"), max_length=12, choices=Importance, default=Importance.NORMAL
    )
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="bulletins", verbose_name=_("Agency"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    relay = models.CharField(_("Station that is relayed"), max_length=60, blank=True, default="")
    relay_minutes = models.PositiveSmallIntegerField(_("Duration in minutes"), default=0)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(_("Reason"), max_length=300, blank=True)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(title=""), name="bulletin_has_a_title"),
            models.CheckConstraint(condition=Q(importance__in=Importance.values), name="bulletin_class_is_known"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdrawn_reason=""), name="bulletin_withdrawn_for_a_reason"
            ),
            # The planner looks back one hour for what is still playing (planner.py).
            models.CheckConstraint(
                condition=Q(relay="", relay_minutes=0)
                | (~Q(relay="") & Q(relay_minutes__range=(1, 60)) & ~Q(importance="emergency")),
                name="bulletin_relays_a_while_and_never_in_an_emergency",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Script(PractisedMixin):
    """One version of a text in one language; never changed, a correction is the next version.

    correction: the words that the machine speaks, where an editor has corrected its reading; else empty.
    reading: how the machine read the text when the version was written; rules and the city's words may have changed.
    machine, recording: the sound by the machine's voice and by a person; the recording is played if there is one.
    approved_by: not the author; approved after listening (texts/approval.py).
    Personal data: the accounts of author and approver, official duties; the voice of the person who recorded it.
    """

    bulletin = models.ForeignKey(Bulletin, on_delete=models.CASCADE, related_name="scripts")
    language = models.CharField(_("Language"), max_length=8, choices=Language)
    number = models.PositiveSmallIntegerField()
    text = models.TextField(_("Text"), max_length=6000)
    correction = models.TextField(max_length=12000, blank=True, default="", db_column="said")
    reading = models.TextField(max_length=12000, blank=True, default="")
    machine = models.ForeignKey(Sound, on_delete=models.PROTECT, null=True, related_name="+")
    recording = models.ForeignKey(Sound, on_delete=models.PROTECT, null=True, related_name="+")
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["bulletin", "language", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bulletin", "language", "number"], name="script_version_once"),
            models.CheckConstraint(condition=~Q(text=""), name="script_has_a_text"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("written_by")),
                name="script_is_approved_by_another",
            ),
            models.CheckConstraint(
                condition=Q(language__in=["vi", "en"]) | Q(machine__isnull=True), name="no_machine_voice_for_it"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language} {self.number} of {self.bulletin_id}"

    @property
    def spoken_text(self) -> str:
        """The words that the machine's voice speaks; empty in a language that no machine speaks."""
        if self.language not in MACHINE_LANGUAGES:
            return ""
        if self.correction or self.reading:
            return self.correction or self.reading
        return spoken(self.text) if self.language == Language.VI else self.text

    @property
    def sound(self) -> Sound | None:
        """What is played: the person's recording, else the machine's voice."""
        return self.recording or self.machine


class SpokenWord(models.Model):
    """How the machine's Vietnamese voice says a word or an abbreviation in this city; overrides its own rules.

    Personal data: the account that entered it, an official duty.
    """

    written = models.CharField(_("As it is written"), max_length=60, unique=True)
    pronunciation = models.TextField(_("How to say it"), db_column="said")
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["written"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(written="") & ~Q(pronunciation=""), name="spoken_word_is_written_and_said"
            )
        ]

    def __str__(self) -> str:
        return f"{self.written}: {self.pronunciation}"


class Listening(PractisedMixin):
    """One person listens to one version. They may approve it once `heard_at` is set: they have heard it to its end.

    begun_at: when they last started it.
    Personal data: an account and when it listened; deleted with the bulletin.
    """

    script = models.ForeignKey(Script, on_delete=models.CASCADE, related_name="listenings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    begun_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["script", "user"], name="listening_once")]

    def __str__(self) -> str:
        return f"{self.user_id} heard {self.script_id}"


class OutletKind(models.TextChoices):
    """The medium that carries a bulletin to the public."""

    LOUDSPEAKERS = "loudspeakers", _("Loudspeakers")
    RADIO = "radio", _("Radio")
    TELEVISION = "tv", _("Television")
    PRESS = "press", _("Newspaper")
    ONLINE = "online", _("Website or social network")


class Outlet(models.Model):
    """A station, a paper, or a group of loudspeakers that play together.

    unit: the territory it reaches, None for that of its agency.
    quiet_from, quiet_to: local times between which only emergencies are aired; quiet_to may be on the next day.
    lent_to: agencies that may air here too, as may the agencies under them; the keeper chooses them.
    closed_at: from then on nothing is planned for it; no page sets it yet.
    """

    kind = models.CharField(_("Kind"), max_length=16, choices=OutletKind)
    name = models.CharField(_("Name"), max_length=80)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="outlets", verbose_name=_("Agency"))
    unit = models.ForeignKey(
        AdminUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Area it reaches")
    )
    quiet_from = models.TimeField(_("Quiet hours from"), default=datetime.time(21))
    quiet_to = models.TimeField(_("Quiet hours until"), default=datetime.time(5))
    lent_to = models.ManyToManyField(
        Agency, related_name="+", blank=True, verbose_name=_("Agencies that may air here too")
    )
    made_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["kind", "agency__name", "name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="outlet_has_a_name"),
            models.CheckConstraint(condition=Q(kind__in=OutletKind.values), name="outlet_kind_is_known"),
            models.UniqueConstraint(
                fields=["agency", "kind", "name"], condition=Q(closed_at__isnull=True), name="outlet_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def territory(self) -> AdminUnit:
        """The unit in which it is heard."""
        return self.unit or self.agency.unit


class Schedule(PractisedMixin):
    """When a bulletin is repeated, and where; only the outlets, the days left out, the rank and the end ever change.

    languages: aired one after the other. times: "HH:MM" local. weekdays: 0 Monday, none: daily. exceptions: local days.
    at_once: the moment of an emergency that is aired at once, whatever the other fields contain.
    rank: the commune's order within a class, lower first.
    Personal data: the accounts that planned and stopped it, official duties.
    """

    bulletin = models.ForeignKey(Bulletin, on_delete=models.CASCADE, related_name="schedules")
    outlets = models.ManyToManyField(Outlet, related_name="schedules", verbose_name=_("Where it is aired"))
    languages = models.JSONField(default=list)
    first = models.DateField(_("First day"))
    last = models.DateField(_("Last day"), null=True, blank=True)
    times = models.JSONField(default=list)
    weekdays = models.JSONField(default=list)
    exceptions = models.JSONField(default=list)
    at_once = models.DateTimeField(null=True)
    rank = models.SmallIntegerField(default=0)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(null=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["bulletin", "first", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(last__isnull=True) | Q(last__gte=F("first")), name="schedule_ends_after")
        ]

    def __str__(self) -> str:
        return f"{self.bulletin_id} from {self.first}"

    @property
    def rule(self) -> Rule:
        """The days and times. An emergency aired at once has no times, so that its rule raises ScheduleUnreadable."""
        return Rule(
            self.first,
            self.last,
            tuple(datetime.time.fromisoformat(time) for time in self.times),
            frozenset(self.weekdays),
            frozenset(datetime.date.fromisoformat(day) for day in self.exceptions),
        )


class Airing(PractisedMixin):
    """One bulletin in one language at one outlet at one time, planned ahead from its schedule (planner.py).

    key: the same each time that the plan is made; loudspeakers name the airing by it in their reports.
    due_at: the time by the schedule. starts_at: when it may begin (`precedence.assign_times`), None if displaced.
    displaced: "clash" or "quiet" if it got no time, else "".
    """

    key = models.CharField(max_length=64, unique=True)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="airings")
    outlet = models.ForeignKey(Outlet, on_delete=models.PROTECT, related_name="airings")
    script = models.ForeignKey(Script, on_delete=models.RESTRICT, related_name="+")
    sound = models.ForeignKey(Sound, on_delete=models.PROTECT, null=True, related_name="+")
    language = models.CharField(max_length=8, choices=Language)
    importance = models.CharField(max_length=12, choices=Importance)
    due_at = models.DateTimeField(db_index=True)
    starts_at = models.DateTimeField(null=True)
    seconds = models.FloatField()
    displaced = models.CharField(max_length=8, blank=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["due_at", "outlet", "pk"]
        indexes: ClassVar = [models.Index(fields=["outlet", "due_at"], name="airing_by_outlet")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(starts_at__isnull=False, displaced="")
                | Q(starts_at__isnull=True, displaced__in=["clash", "quiet"]),
                name="airing_starts_or_says_why_not",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.key


class Attestation(PractisedMixin):
    """A person attests that a bulletin was aired, or why not; never added to what machines proved.

    link: to the page, the broadcast or the issue. photo: of the paper or the screen, re-encoded without its metadata.
    Personal data: the account that attests, an official duty; a photo may show people and is deleted after a year.
    """

    airing = models.OneToOneField(Airing, on_delete=models.CASCADE, related_name="attestation")
    was_aired = models.BooleanField(default=True)
    link = models.URLField(_("Link"), max_length=500, blank=True)
    photo = models.BinaryField(null=True)
    has_photo = models.BooleanField(default=False)
    note = models.CharField(_("Note"), max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(was_aired=True) | ~Q(note=""), name="not_aired_for_a_reason")
        ]

    def __str__(self) -> str:
        return f"{self.airing_id} by {self.by_id}"


__all__ = [
    "MACHINE_LANGUAGES",
    "Airing",
    "Attestation",
    "Bulletin",
    "Importance",
    "Language",
    "Listening",
    "Outlet",
    "OutletKind",
    "Schedule",
    "Script",
    "Sound",
    "SpokenWord",
]
