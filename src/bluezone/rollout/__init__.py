# SPDX-License-Identifier: Apache-2.0
"""The rollout's duties, one Django app each."""
