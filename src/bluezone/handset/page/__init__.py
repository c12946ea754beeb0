# SPDX-License-Identifier: Apache-2.0
"""The phone's local page: the face, and the JSON API behind it."""
