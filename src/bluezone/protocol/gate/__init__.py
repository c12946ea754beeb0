# SPDX-License-Identifier: Apache-2.0
"""Gates: the passes that a phone shows, their alphabet in a QR code, and the tokens a browser gets for its passes."""
