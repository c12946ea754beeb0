# SPDX-License-Identifier: Apache-2.0
"""The first day of a city: set up its units and offices in one act, and a checklist of steps."""
