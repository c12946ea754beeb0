# SPDX-License-Identifier: Apache-2.0
"""What the hosts of one city share through their database: sealed secrets, and the state of their data folder."""
