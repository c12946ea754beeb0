# SPDX-License-Identifier: Apache-2.0
"""The folder of secrets, the week keys, and the master key that seals them."""
