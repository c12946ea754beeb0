# SPDX-License-Identifier: Apache-2.0
"""Coverage: the share of running phones by unit and week, in classes of proof that are never added together.

A part of the rollout that counts something defines an `Indicator` and names it in its `duty.py`; the pages, the map and
the reports then show it. See docs/coverage.md.
"""
