# SPDX-License-Identifier: Apache-2.0
"""Addresses of the bulletins in the office."""

from django.urls import path

from bluezone.rollout.bulletins import views
from bluezone.rollout.bulletins.air import air_views, outlet_views, schedule_views
from bluezone.rollout.bulletins.texts import pronunciation_views

urlpatterns = [
    path("bulletins/", views.bulletin_list, name="bulletins"),
    path("bulletins/new/", views.new_bulletin, name="bulletin-new"),
    path("bulletins/<int:pk>/", views.show_bulletin, name="bulletin"),
    path("bulletins/<int:pk>/write/", views.write_text, name="bulletin-write"),
    path("bulletins/<int:pk>/record/", views.record_text, name="bulletin-record"),
    path("bulletins/<int:pk>/withdraw/", views.withdraw_bulletin, name="bulletin-withdraw"),
    path("bulletins/<int:pk>/now/", schedule_views.air_now, name="bulletin-now"),
    path("bulletins/<int:pk>/schedules/new/", schedule_views.new_schedule, name="schedule-new"),
    path("bulletins/versions/<int:pk>/sound.mp3", views.script_sound, name="script-sound"),
    path("bulletins/versions/<int:pk>/listening/", views.store_listening, name="script-listening"),
    path("bulletins/versions/<int:pk>/approve/", views.approve_script, name="script-approve"),
    path("bulletins/words/", pronunciation_views.spoken_word_list, name="spoken-words"),
    path("bulletins/words/sound.mp3", pronunciation_views.try_pronunciation, name="spoken-words-sound"),
    path("bulletins/words/<int:pk>/remove/", pronunciation_views.remove_spoken_word, name="spoken-word-remove"),
    path("schedules/<int:pk>/", schedule_views.show_schedule, name="schedule"),
    path("schedules/<int:pk>/stop/", schedule_views.stop_schedule, name="schedule-stop"),
    path("schedules/<int:pk>/leave-out/", schedule_views.leave_out_day, name="schedule-leave-out"),
    path("schedules/<int:pk>/first/", schedule_views.put_schedule_first, name="schedule-first"),
    path("air-plan/", air_views.show_plan, name="air-plan"),
    path("air-plan/file.pdf", air_views.plan_pdf, name="air-plan-pdf"),
    path("air-log/", air_views.show_log, name="air-log"),
    path("air-log/file/", air_views.log_file, name="air-log-file"),
    path("airings/<int:pk>/aired/", air_views.attest_airing, name="airing-aired"),
    path("airings/<int:pk>/say/", air_views.attest_outcome, name="airing-attest"),
    path("airings/<int:pk>/photo.jpg", air_views.attestation_photo, name="airing-photo"),
    path("outlets/<int:pk>/lent/", outlet_views.set_lent_agencies, name="outlet-lend"),
    path("outlets/new/", outlet_views.new_outlet, name="outlet-new"),
]
