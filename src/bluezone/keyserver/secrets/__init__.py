# SPDX-License-Identifier: Apache-2.0
"""The private keys of the service: the files that hold them, its own keys, and the keys of each week."""
