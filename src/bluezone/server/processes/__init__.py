# SPDX-License-Identifier: Apache-2.0
"""The processes of one `serve`: started together, replaced without a pause, stopped together."""
