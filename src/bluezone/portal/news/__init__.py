# SPDX-License-Identifier: Apache-2.0
"""News of the public site: written, published and withdrawn at the desk, read by everybody, and fed to feed
readers.
"""
