# SPDX-License-Identifier: Apache-2.0
"""The weeks of a school: which ones numbers are owed for, and the reports of its classes."""
