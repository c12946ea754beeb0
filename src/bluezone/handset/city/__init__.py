# SPDX-License-Identifier: Apache-2.0
"""What the phone knows of its city: the key it trusts, the signed config, the files it follows, the public pages."""
