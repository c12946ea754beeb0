# SPDX-License-Identifier: Apache-2.0
"""Backups of a data folder that expire as promised: each opens with the key of its day, which is destroyed in time."""
