# SPDX-License-Identifier: Apache-2.0
"""Whether the owner was near a case, and the warnings about it."""
