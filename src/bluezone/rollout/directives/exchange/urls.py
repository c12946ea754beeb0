# SPDX-License-Identifier: Apache-2.0
"""Addresses of the exchange with other offices, of certificates and of files."""

from django.urls import path

from bluezone.rollout.directives.exchange import exchange_views, partner_views
from bluezone.rollout.directives.issuance import attachment_views

urlpatterns = [
    path("exchange/", exchange_views.exchange, name="directive-exchange"),
    path("exchange/<int:pk>/", exchange_views.look, name="directive-exchange-look"),
    path("exchange/<int:pk>/apply/", exchange_views.apply, name="directive-exchange-apply"),
    path("exchange/<int:pk>/discard/", exchange_views.discard, name="directive-exchange-discard"),
    path("exchange/documents/<int:pk>/", exchange_views.document_file, name="directive-edxml"),
    path("exchange/states/<int:pk>/", exchange_views.status_file, name="directive-status-file"),
    path("exchange/certificate/", exchange_views.own_certificate, name="directive-own-certificate"),
    path("exchange/certificates/", partner_views.certificates, name="directive-certificates"),
    path("exchange/certificates/new/", partner_views.new_certificate, name="directive-certificate-new"),
    path(
        "exchange/certificates/<int:pk>/remove/", partner_views.remove_certificate, name="directive-certificate-remove"
    ),
    path("inbox/<int:pk>/answer-recall/", exchange_views.answer_recall, name="inbox-answer-recall"),
    path("directives/<int:pk>/files/", attachment_views.files, name="directive-attachments"),
    path("directives/<int:pk>/files/delete/", attachment_views.take_away, name="directive-attachment-delete"),
    path("files/<str:token>/", attachment_views.stored_file, name="file"),
]
