# SPDX-License-Identifier: Apache-2.0
"""Plans for leaders: a model compares options with how it is now, from counts that coverage shows to everyone."""
