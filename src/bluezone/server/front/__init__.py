# SPDX-License-Identifier: Apache-2.0
"""What stands between the network and an origin's callable: nobody takes a thread before the whole request is here."""
