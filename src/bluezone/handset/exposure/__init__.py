# SPDX-License-Identifier: Apache-2.0
"""The owner's exposure to cases, and the warnings about it."""
