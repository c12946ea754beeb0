# SPDX-License-Identifier: Apache-2.0
"""The public site: information, help, news, materials to print, the page of proofs, and the web edition's files.

A Django app with two sides: pages for everybody on the public origin (no session, no cookie except for the language),
and the news desk of editors in the office.
"""
