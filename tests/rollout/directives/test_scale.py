# SPDX-License-Identifier: Apache-2.0
"""The lists of directives in a large office are held with all others in tests/rollout/test_lists_at_scale.py.

What is measured with lies in tests/builders/largeoffice.py; these are its names for the tests of other duties.
"""

from tests.builders.largeoffice import BUDGET_SECONDS, REQUESTS, server_clock

__all__ = ["BUDGET_SECONDS", "REQUESTS", "server_clock"]
