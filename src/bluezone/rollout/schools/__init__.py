# SPDX-License-Identifier: Apache-2.0
"""Schools (clause 4): numbers of pupils and relatives that classes report week by week; no child's name anywhere."""
