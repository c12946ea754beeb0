# SPDX-License-Identifier: Apache-2.0
"""Plans for leaders: what options would do, compared with how it is, from counts that coverage shows to everybody."""
