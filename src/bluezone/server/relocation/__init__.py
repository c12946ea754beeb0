# SPDX-License-Identifier: Apache-2.0
"""Move a city's stores from SQLite to PostgreSQL or back."""
