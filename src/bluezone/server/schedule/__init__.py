# SPDX-License-Identifier: Apache-2.0
"""What is due again and again, done by the one process that leads."""
