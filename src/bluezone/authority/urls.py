# SPDX-License-Identifier: Apache-2.0
"""Addresses of accounts, of what waits for a second person, and of the audit."""

from django.urls import path

from bluezone.authority import audit_views, second_person_views
from bluezone.authority import views as authority_views
from bluezone.authority.people import people_views
from bluezone.identity import own_account_views
from bluezone.identity.rolepages import guides
from bluezone.identity.signin import views as signin_views

urlpatterns = [
    path("sign-in/", signin_views.sign_in, name="sign-in"),
    path("sign-in/puzzleworker.js", signin_views.puzzle_worker, name="puzzle-worker"),
    path("sign-in/second/", signin_views.finish_second_step, name="second-factor-proof"),
    path("confirm/", signin_views.confirm_identity, name="confirm"),
    path("second-factor/", own_account_views.show_second_factor, name="second-factor"),
    path("second-factor/app/", own_account_views.add_app, name="second-factor-app"),
    path("second-factor/app/remove/", own_account_views.remove_app, name="second-factor-app-remove"),
    path("second-factor/passkeys/", own_account_views.add_passkey, name="second-factor-passkey"),
    path(
        "second-factor/passkeys/<int:pk>/remove/", own_account_views.remove_passkey, name="second-factor-passkey-remove"
    ),
    path("second-factor/codes/", own_account_views.new_recovery_codes, name="second-factor-codes"),
    path("email/", own_account_views.change_own_email, name="own-email"),
    path("sessions/", own_account_views.session_list, name="sessions"),
    path("sessions/end/", own_account_views.end_all_sessions, name="sessions-end"),
    path("sessions/<str:handle>/end/", own_account_views.end_session, name="session-end"),
    path("how-to/", guides.guide_list, name="guides"),
    path("how-to/<str:role>/", guides.show_guide, name="guide"),
    path("training/", own_account_views.switch_training, name="training"),
    path("undo/", authority_views.undo, name="undo"),
    path("sign-out/", signin_views.sign_out, name="sign-out"),
    path("start/<str:token>/", signin_views.open_account_link, name="start"),
    path("password/", signin_views.change_password, name="password"),
    path("accounts/", authority_views.account_list, name="accounts"),
    path("accounts/new/", authority_views.new_account, name="account-new"),
    path("accounts/list.xlsx", people_views.people_file, name="people-file"),
    path("accounts/list.csv", people_views.people_file, {"form": "csv"}, name="people-csv"),
    *people_views.LISTS.urls("accounts/lists/"),
    path("accounts/invitations/", people_views.invitation_list, name="invitations"),
    path("accounts/invitations/make/", people_views.issue_invitations, name="invite"),
    path("accounts/<int:pk>/", authority_views.change_account, name="account"),
    path("accounts/<int:pk>/link/", authority_views.issue_link, name="account-link"),
    path("accounts/<int:pk>/second-factor/reset/", authority_views.reset_second_factor, name="account-factor-reset"),
    path("accounts/<int:pk>/roles/", authority_views.grant_role, name="account-role"),
    path("accounts/<int:pk>/roles/<int:grant>/end/", authority_views.revoke_role, name="account-role-end"),
    path("delegations/", authority_views.delegation_list, name="delegations"),
    path("delegations/<int:pk>/end/", authority_views.revoke_delegation, name="delegation-end"),
    path("waiting/", second_person_views.act_list, name="waiting"),
    path("waiting/<int:pk>/", second_person_views.show_act, name="waiting-act"),
    path("waiting/<int:pk>/withdraw/", second_person_views.withdraw_act, name="waiting-withdraw"),
    path("glass/", second_person_views.break_glass, name="glass"),
    path("audit/", audit_views.show_audit, name="audit"),
    path("audit/verify/", audit_views.verify_audit, name="audit-verify"),
    path("audit/export/", audit_views.export_audit, name="audit-export"),
]
