import datetime

import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import bluezone.training


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("agencies", "0001_squashed_0003_venues_counted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Bulletin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("training", models.BooleanField(default=bluezone.training.practising, editable=False)),
                ("title", models.CharField(max_length=120, verbose_name="Title")),
                (
                    "importance",
                    models.CharField(
                        choices=[
                            ("normal", "Ordinary (thông thường)"),
                            ("priority", "Priority (ưu tiên)"),
                            ("emergency", "Emergency (khẩn cấp)"),
                        ],
                        default="normal",
                        max_length=12,
                        verbose_name="Class of the bulletin",
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_reason", models.CharField(blank=True, max_length=300, verbose_name="Reason")),
                (
                    "agency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bulletins",
                        to="agencies.agency",
                        verbose_name="Agency",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-made_at", "-pk"],
                "abstract": False,
                "base_manager_name": "everything",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True), name="bulletin_has_a_title"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("importance__in", ["normal", "priority", "emergency"])),
                        name="bulletin_class_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at__isnull", True),
                            models.Q(("withdrawn_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="bulletin_withdrawn_for_a_reason",
                    ),
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Outlet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("loudspeakers", "Loudspeakers"),
                            ("radio", "Radio"),
                            ("tv", "Television"),
                            ("press", "Newspaper"),
                            ("online", "Website or social network"),
                        ],
                        max_length=16,
                        verbose_name="Kind",
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="Name")),
                ("quiet_from", models.TimeField(default=datetime.time(21, 0), verbose_name="Quiet hours from")),
                ("quiet_to", models.TimeField(default=datetime.time(5, 0), verbose_name="Quiet hours until")),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "agency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outlets",
                        to="agencies.agency",
                        verbose_name="Agency",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.adminunit",
                        verbose_name="Area it reaches",
                    ),
                ),
            ],
            options={
                "ordering": ["kind", "agency__name", "name", "pk"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="outlet_has_a_name"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["loudspeakers", "radio", "tv", "press", "online"])),
                        name="outlet_kind_is_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("agency", "kind", "name"),
                        name="outlet_name_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("training", models.BooleanField(default=bluezone.training.practising, editable=False)),
                ("languages", models.JSONField(default=list)),
                ("first", models.DateField(verbose_name="First day")),
                ("last", models.DateField(blank=True, null=True, verbose_name="Last day")),
                ("times", models.JSONField(default=list)),
                ("weekdays", models.JSONField(default=list)),
                ("exceptions", models.JSONField(default=list)),
                ("at_once", models.DateTimeField(null=True)),
                ("rank", models.SmallIntegerField(default=0)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("stopped_at", models.DateTimeField(null=True)),
                (
                    "bulletin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="schedules", to="bulletins.bulletin"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "outlets",
                    models.ManyToManyField(
                        related_name="schedules", to="bulletins.outlet", verbose_name="Where it is aired"
                    ),
                ),
            ],
            options={
                "ordering": ["bulletin", "first", "pk"],
                "abstract": False,
                "base_manager_name": "everything",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last__isnull", True), ("last__gte", models.F("first")), _connector="OR"),
                        name="schedule_ends_after",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Sound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("content", models.BinaryField()),
                ("seconds", models.FloatField()),
                ("loudness_lufs", models.FloatField()),
                ("peak_dbtp", models.FloatField()),
                ("is_human", models.BooleanField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("seconds__gt", 0)), name="sound_lasts")],
            },
        ),
        migrations.CreateModel(
            name="Script",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("training", models.BooleanField(default=bluezone.training.practising, editable=False)),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("vi", "Vietnamese"),
                            ("en", "English"),
                            ("tay", "Tày"),
                            ("nung", "Nùng"),
                            ("dao", "Dao"),
                            ("hmong", "Mông"),
                        ],
                        max_length=8,
                        verbose_name="Language",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("text", models.TextField(max_length=6000, verbose_name="Text")),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("approved_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "bulletin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="scripts", to="bulletins.bulletin"
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="bulletins.sound"
                    ),
                ),
                (
                    "recording",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="bulletins.sound"
                    ),
                ),
            ],
            options={
                "ordering": ["bulletin", "language", "-number"],
                "abstract": False,
                "base_manager_name": "everything",
                "constraints": [
                    models.UniqueConstraint(fields=("bulletin", "language", "number"), name="script_version_once"),
                    models.CheckConstraint(condition=models.Q(("text", ""), _negated=True), name="script_has_a_text"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(("approved_by", models.F("written_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="script_is_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["vi", "en"]), ("machine__isnull", True), _connector="OR"),
                        name="no_machine_voice_for_it",
                    ),
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Listening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("training", models.BooleanField(default=bluezone.training.practising, editable=False)),
                ("begun_at", models.DateTimeField()),
                ("heard_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "script",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="listenings", to="bulletins.script"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "everything",
                "constraints": [models.UniqueConstraint(fields=("script", "user"), name="listening_once")],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Airing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("training", models.BooleanField(default=bluezone.training.practising, editable=False)),
                ("key", models.CharField(max_length=64, unique=True)),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("vi", "Vietnamese"),
                            ("en", "English"),
                            ("tay", "Tày"),
                            ("nung", "Nùng"),
                            ("dao", "Dao"),
                            ("hmong", "Mông"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "importance",
                    models.CharField(
                        choices=[
                            ("normal", "Ordinary (thông thường)"),
                            ("priority", "Priority (ưu tiên)"),
                            ("emergency", "Emergency (khẩn cấp)"),
                        ],
                        max_length=12,
                    ),
                ),
                ("due_at", models.DateTimeField(db_index=True)),
                ("starts_at", models.DateTimeField(null=True)),
                ("seconds", models.FloatField()),
                ("displaced", models.CharField(blank=True, max_length=8)),
                (
                    "outlet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="airings", to="bulletins.outlet"
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="airings", to="bulletins.schedule"
                    ),
                ),
                (
                    "script",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="bulletins.script"
                    ),
                ),
                (
                    "sound",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="bulletins.sound"
                    ),
                ),
            ],
            options={
                "ordering": ["due_at", "outlet", "pk"],
                "abstract": False,
                "base_manager_name": "everything",
                "indexes": [models.Index(fields=["outlet", "due_at"], name="airing_by_outlet")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("displaced", ""), ("starts_at__isnull", False)),
                            models.Q(("displaced__in", ["clash", "quiet"]), ("starts_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="airing_starts_or_says_why_not",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Attestation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("training", models.BooleanField(default=bluezone.training.practising, editable=False)),
                ("was_aired", models.BooleanField(default=True)),
                ("link", models.URLField(blank=True, max_length=500, verbose_name="Link")),
                ("photo", models.BinaryField(null=True)),
                ("has_photo", models.BooleanField(default=False)),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="Note")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "airing",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attestation", to="bulletins.airing"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "everything",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("was_aired", True), models.Q(("note", ""), _negated=True), _connector="OR"),
                        name="not_aired_for_a_reason",
                    )
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
    ]
