# SPDX-License-Identifier: Apache-2.0
"""People and roles of the office."""
