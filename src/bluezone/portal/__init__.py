# SPDX-License-Identifier: Apache-2.0
"""The public site: what Bluezone is, help, news, materials to print, what can be checked, and the web edition's files.

A Django app with two sides: pages for everybody on the public origin (no session, no cookie but the language), and
the news desk of editors in the office.
"""
