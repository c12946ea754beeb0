# SPDX-License-Identifier: Apache-2.0
"""Drives and help: requests from the portal, the app, gates, house visits and telephones, and the teams that help."""
