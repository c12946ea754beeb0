# SPDX-License-Identifier: Apache-2.0
"""Drives and help: teams that go out, and the requests for help that people make through any channel."""
