# SPDX-License-Identifier: Apache-2.0
"""The anonymous API: verify, upload, exports, limits, retention and their stores. No Django."""
