# SPDX-License-Identifier: Apache-2.0
"""The way of a city's stores from one database to the other."""
