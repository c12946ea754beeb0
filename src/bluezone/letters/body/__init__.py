# SPDX-License-Identifier: Apache-2.0
"""What the body of a letter orders: its clauses, whom each is for, and what only tells."""
