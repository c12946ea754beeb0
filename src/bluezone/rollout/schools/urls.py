# SPDX-License-Identifier: Apache-2.0
"""Addresses of the schools in the office."""

from django.urls import path

from bluezone.rollout.schools import views, week_views
from bluezone.rollout.schools.classes import class_lists, class_views

urlpatterns = [
    path("schools/", views.school_list, name="schools"),
    path("schools/file/", views.download_school_table, name="schools-file"),
    path("schools/mine/", class_views.own_class_list, name="schools-mine"),
    path("schools/breaks/", week_views.break_list, name="school-breaks"),
    path("schools/breaks/<int:pk>/cancel/", week_views.cancel_break, name="school-break-cancel"),
    path("schools/openings/<int:pk>/answer/", week_views.answer_request, name="school-answer"),
    path("schools/<int:pk>/", views.show_school, name="school"),
    path("schools/<int:pk>/enter/", week_views.enter_reports, name="school-enter"),
    path("schools/<int:pk>/paste/", week_views.paste_reports, name="school-paste"),
    path("schools/<int:pk>/classes/", class_views.class_list, name="school-classes"),
    path("schools/<int:pk>/classes/list.xlsx", class_lists.class_file, name="school-class-file"),
    path("schools/<int:pk>/classes/list.csv", class_lists.class_file, {"form": "csv"}, name="school-class-csv"),
    *class_lists.LISTS.urls("schools/class-lists/"),
    path("schools/<int:pk>/links/", class_views.issue_class_links, name="school-links"),
    path("schools/<int:pk>/back/", week_views.return_reports, name="school-back"),
    path("schools/<int:pk>/ask/", week_views.request_reopening, name="school-ask"),
    path("schools/<int:pk>/letter/", week_views.print_letter, name="school-letter"),
    path("schools/<int:pk>/form/", week_views.print_week_form, name="school-form"),
    path("schools/classes/<int:pk>/", class_views.submit_class_report, name="school-class"),
    path("schools/classes/<int:pk>/correct/", class_views.correct_class, name="school-class-correct"),
]
