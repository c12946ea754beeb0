# SPDX-License-Identifier: Apache-2.0
"""The second factor: authenticator apps, passkeys and recovery codes; set up, asked for, checked and removed."""
