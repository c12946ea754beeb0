# SPDX-License-Identifier: Apache-2.0
"""The phone's local page on 127.0.0.1: state, warnings, report, sent list. Vietnamese first, English beside it."""
