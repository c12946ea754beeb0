# SPDX-License-Identifier: Apache-2.0
"""Verification codes: issued to a person or in batches, in training too, within the limits of a day and facility."""
