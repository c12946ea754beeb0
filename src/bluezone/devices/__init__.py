# SPDX-License-Identifier: Apache-2.0
"""Tablets at gates, phones of canvassers and drives, and loudspeakers that the city has connected."""
