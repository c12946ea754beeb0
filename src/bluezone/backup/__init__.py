# SPDX-License-Identifier: Apache-2.0
"""Backups of a data folder that keep the promises to forget: each opens with the key of its day, which is destroyed."""
