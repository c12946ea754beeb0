# SPDX-License-Identifier: Apache-2.0
"""The public log of what was published, its witnesses, and the journal of signed heads."""
