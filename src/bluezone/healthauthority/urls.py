# SPDX-License-Identifier: Apache-2.0
"""URLs of the pages for health workers."""

from django.urls import path

from bluezone.healthauthority import views

urlpatterns = [
    path("codes/", views.code_list, name="codes"),
    path("codes/new/", views.new_code, name="code-new"),
    path("codes/<int:pk>/state/", views.code_state, name="code-state"),
    path("codes/<int:pk>/revoke/", views.revoke_code, name="code-revoke"),
    path("codes/venues/", views.publish_venue_alert, name="code-venue-alert"),
    path("codes/bulk/", views.issue_in_bulk, name="code-bulk"),
    path("codes/bulk/issue/", views.issue_batch, name="code-bulk-issue"),
    path("codes/bulk/send/", views.send_message, name="code-bulk-send"),
    path("codes/bulk/sent/", views.message_states, name="code-bulk-sent"),
    path("codes/limits/", views.raise_quota, name="code-quota"),
    path("codes/statistics/", views.show_statistics, name="code-statistics"),
    path("codes/statistics/<str:form>", views.download_statistics, name="code-statistics-file"),
    path("codes/declarations/", views.declaration_list, name="code-declarations"),
    path("codes/declarations/key/", views.make_declaration_key, name="code-declaration-key"),
    path("codes/declarations/passphrase/", views.change_declaration_passphrase, name="code-declaration-phrase"),
    path("codes/declarations/<str:handle>/called/", views.record_declaration_call, name="code-declaration-called"),
]
