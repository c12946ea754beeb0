# SPDX-License-Identifier: Apache-2.0
"""Schools (clause 4): what classes count of pupils and relatives, week by week; no child's name anywhere."""
