# SPDX-License-Identifier: Apache-2.0
"""A bulletin, its texts in each language and version, and their sound.

Source: Công văn 458/UBND-VP, clause 6 ("đưa tin và định kỳ nhắc lại"); Circular 39/2020/TT-BTTTT for the classes.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import Agency


class Importance(models.TextChoices):
    """The three classes of Circular 39/2020; `clashing.Importance` has their order."""

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
    """One MP3 as it is played. loudness_lufs and peak_dbtp: as ffmpeg's ebur128 measured the stored file.

    is_human: a person's recording. Deleted when no text refers to it any more (retention.py).
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
    """What is to be said, in every language and version of it.

    Personal data: the account that made it, an official duty.
    """

    title = models.CharField(_("Title"), max_length=120)
    importance = models.CharField(
        _("Class of the bulletin"), max_length=12, choices=Importance, default=Importance.NORMAL
    )
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="bulletins", verbose_name=_("Agency"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
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
        ]

    def __str__(self) -> str:
        return self.title


class Script(PractisedMixin):
    """One version of a text in one language; never changed, a correction is the next version.

    machine, recording: its sound by the machine's voice and by a person, who is always heard first.
    approved_by: somebody else than the author, after listening (approving.py).
    Personal data: the accounts of author and approver, official duties; the voice of who recorded it.
    """

    bulletin = models.ForeignKey(Bulletin, on_delete=models.CASCADE, related_name="scripts")
    language = models.CharField(_("Language"), max_length=8, choices=Language)
    number = models.PositiveSmallIntegerField()
    text = models.TextField(_("Text"), max_length=6000)
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
    def sound(self) -> Sound | None:
        """What is played: the person's recording before the machine's voice."""
        return self.recording or self.machine


class Listening(PractisedMixin):
    """Somebody heard a version to its end, which comes before approving it. begun_at: when it was last started.

    Personal data: an account and when it listened; goes with the bulletin.
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
