# SPDX-License-Identifier: Apache-2.0
"""What every app needs to show a public page: its frame and headers, static files, and limits on requests of one
network.
"""
