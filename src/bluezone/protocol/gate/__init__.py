# SPDX-License-Identifier: Apache-2.0
"""Gates: the passes that a phone shows, their QR code alphabet, and the tokens that a browser gets for its passes."""
