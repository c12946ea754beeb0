# SPDX-License-Identifier: Apache-2.0
"""Addresses of directives, inboxes, reports, registers, and of the exchange with other offices."""

from django.urls import path

from bluezone.rollout.directives import register
from bluezone.rollout.directives.exchange import exchange_views
from bluezone.rollout.directives.inbox import inbox_views
from bluezone.rollout.directives.issuance import attachments, campaigns, draft_views, intake, letter_views
from bluezone.rollout.directives.reports import report_views

urlpatterns = [
    path("directives/", letter_views.directive_list, name="directives"),
    path("directives/new/", letter_views.new_directive, name="directive-new"),
    path("directives/<int:pk>/", letter_views.directive, name="directive"),
    path("directives/<int:pk>/change/", draft_views.change_directive, name="directive-change"),
    path("directives/<int:pk>/submit/", letter_views.submit, name="directive-submit"),
    path("directives/<int:pk>/return/", letter_views.give_back, name="directive-return"),
    path("directives/<int:pk>/remark/", letter_views.comment, name="directive-remark"),
    path("directives/<int:pk>/delete/", letter_views.delete, name="directive-delete"),
    path("directives/<int:pk>/number/", letter_views.give_number, name="directive-number"),
    path("directives/<int:pk>/signed/", letter_views.keep_signed_copy, name="directive-signed-copy"),
    path("directives/<int:pk>/recipients/add/", letter_views.add_recipient, name="directive-add-recipient"),
    path("directives/<int:pk>/approve/", letter_views.approve, name="directive-approve"),
    path("directives/<int:pk>/reopen/", letter_views.reopen, name="directive-reopen"),
    path("directives/<int:pk>/issue/", letter_views.issue, name="directive-issue"),
    path("directives/<int:pk>/seal/", attachments.seal, name="directive-seal"),
    path("directives/<int:pk>/revoke/", letter_views.revoke, name="directive-revoke"),
    path("directives/<int:pk>/progress/", report_views.progress, name="directive-progress"),
    path("directives/<int:pk>/progress/<str:form>/", report_views.progress_file, name="directive-file"),
    path("directives/<int:pk>/late/", report_views.late, name="directive-late"),
    path("campaigns/", campaigns.campaign_list, name="campaigns"),
    path("campaigns/new/", campaigns.new_campaign, name="campaign-new"),
    path("campaigns/<int:pk>/", campaigns.campaign, name="campaign"),
    path("campaigns/<int:pk>/change/", campaigns.change_campaign, name="campaign-change"),
    path("inbox/", inbox_views.inbox, name="inbox"),
    path("inbox/<int:pk>/", inbox_views.dispatch, name="inbox-one"),
    path("inbox/<int:pk>/act/", inbox_views.act, name="inbox-act"),
    path("inbox/<int:pk>/seal/", attachments.received_seal, name="inbox-seal"),
    path("inbox/<int:pk>/undo/", inbox_views.undo, name="inbox-undo"),
    path("inbox/<int:pk>/pass-on/", inbox_views.pass_on, name="inbox-pass"),
    path("inbox/<int:pk>/recall/", letter_views.recall_from, name="dispatch-recall"),
    path("inbox/<int:pk>/hand-over/", letter_views.hand_over, name="dispatch-hand-over"),
    path("inbox/<int:pk>/completion/", inbox_views.answer_completion, name="dispatch-completion"),
    path("tasks/<int:pk>/ask/", inbox_views.ask, name="task-ask"),
    path("tasks/<int:pk>/report/", report_views.report, name="task-report"),
    path("tasks/<int:pk>/reopen/", report_views.ask, name="task-reopen"),
    path("requests/periods/<int:pk>/answer/", report_views.answer, name="period-answer"),
    path("requests/<int:pk>/withdraw/", inbox_views.withdraw, name="request-withdraw"),
    path("requests/<int:pk>/answer/", inbox_views.answer, name="request-answer"),
    path("reports/<int:pk>/check/", report_views.check, name="report-check"),
    path("registers/<str:direction>/", register.register, name="register"),
    path("exchange/", exchange_views.exchange, name="directive-exchange"),
    path("exchange/<int:pk>/", exchange_views.look, name="directive-exchange-look"),
    path("exchange/<int:pk>/apply/", exchange_views.apply, name="directive-exchange-apply"),
    path("exchange/<int:pk>/discard/", exchange_views.discard, name="directive-exchange-discard"),
    path("exchange/documents/<int:pk>/", exchange_views.document_file, name="directive-edxml"),
    path("exchange/states/<int:pk>/", exchange_views.status_file, name="directive-status-file"),
    path("exchange/messages/", exchange_views.take_message, name="directive-exchange-message"),
    path("exchange/deliveries/<int:pk>/again/", exchange_views.send_again, name="directive-delivery-again"),
    path("exchange/addresses/<int:pk>/", exchange_views.partner_address, name="directive-partner-address"),
    path("exchange/certificate/", exchange_views.own_certificate, name="directive-own-certificate"),
    path("exchange/certificates/", exchange_views.certificates, name="directive-certificates"),
    path("exchange/certificates/new/", exchange_views.new_certificate, name="directive-certificate-new"),
    path(
        "exchange/certificates/<int:pk>/remove/", exchange_views.remove_certificate, name="directive-certificate-remove"
    ),
    path("inbox/<int:pk>/answer-recall/", exchange_views.answer_recall, name="inbox-answer-recall"),
    path("directives/<int:pk>/files/", letter_views.files, name="directive-attachments"),
    path("directives/<int:pk>/files/delete/", letter_views.take_away, name="directive-attachment-delete"),
    path("directives/reading/", intake.how_well_read, name="directive-reading"),
    path("files/<str:token>/", attachments.stored_file, name="file"),
    path("files/<str:token>/pages/<int:page>.jpg", attachments.stored_file, name="file-page"),
]
