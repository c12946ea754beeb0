# SPDX-License-Identifier: Apache-2.0
"""Drives and help: requests that the portal, the app, gates, house visits and telephones open, and teams that help."""
