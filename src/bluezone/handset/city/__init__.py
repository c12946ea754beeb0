# SPDX-License-Identifier: Apache-2.0
"""What the phone knows of its city: the pinned key, the signed config, the files it follows, and the public pages."""
