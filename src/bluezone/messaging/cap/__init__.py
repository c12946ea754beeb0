# SPDX-License-Identifier: Apache-2.0
"""Alerts for phones in the Common Alerting Protocol: a public feed, and a file for the operator's cell broadcast."""
