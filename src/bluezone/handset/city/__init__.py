# SPDX-License-Identifier: Apache-2.0
"""The city on the phone: the pinned key, the signed config, the files that the phone follows, and the public pages."""
