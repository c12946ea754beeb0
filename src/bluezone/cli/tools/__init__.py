# SPDX-License-Identifier: Apache-2.0
"""Commands that inspect files and figures: one module for each command or group."""
