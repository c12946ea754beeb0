# SPDX-License-Identifier: Apache-2.0
"""What the gates count: counters of devices, paper slips, the sums of both, and what of them is not shown to whom."""
