# SPDX-License-Identifier: Apache-2.0
"""Coverage: what is running where, by unit and week, in classes of proof that are never added together.

A part of the rollout that counts something makes an `Indicator` and names it in its `duty.py`; the pages, the map and
the reports then show it. docs/coverage.md says how.
"""
