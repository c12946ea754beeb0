# SPDX-License-Identifier: Apache-2.0
"""Enrolled devices: tablets at gates, phones of canvassers and drives, and loudspeakers."""
