# SPDX-License-Identifier: Apache-2.0
"""Addresses of accounts and the audit."""

from django.urls import path

from bluezone.accounts import account_views, audit_views, delegation_views, views

urlpatterns = [
    path("", views.first_page, name="first-page"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("start/<str:token>/", views.start, name="start"),
    path("password/", views.change_password, name="password"),
    path("accounts/", account_views.account_list, name="accounts"),
    path("accounts/new/", account_views.new_account, name="account-new"),
    path("accounts/<int:pk>/", account_views.change_account, name="account"),
    path("accounts/<int:pk>/link/", account_views.new_link, name="account-link"),
    path("accounts/<int:pk>/roles/", account_views.give_role, name="account-role"),
    path("accounts/<int:pk>/roles/<int:grant>/end/", account_views.end_role, name="account-role-end"),
    path("delegations/", delegation_views.delegations, name="delegations"),
    path("delegations/<int:pk>/end/", delegation_views.end_delegation, name="delegation-end"),
    path("audit/", audit_views.audit, name="audit"),
    path("audit/verify/", audit_views.verify, name="audit-verify"),
    path("audit/export/", audit_views.export, name="audit-export"),
]
