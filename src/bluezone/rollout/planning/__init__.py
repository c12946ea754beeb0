# SPDX-License-Identifier: Apache-2.0
"""Plans for leaders: a model compares options with the current state, from numbers that coverage shows to everyone."""
