# SPDX-License-Identifier: Apache-2.0
"""What an hour of a team is expected to bring in each unit, and how last week's expectation turned out."""
