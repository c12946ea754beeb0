# SPDX-License-Identifier: Apache-2.0
"""The phone's face: screens and engines of the web edition and of the handset's local page, as static files."""
