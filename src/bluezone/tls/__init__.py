# SPDX-License-Identifier: Apache-2.0
"""TLS that ends in this program, and how a device comes to trust it."""
