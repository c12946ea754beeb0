# SPDX-License-Identifier: Apache-2.0
"""What every app needs to show a public page: its frame and headers, files with their addresses, and how often one
network may ask.
"""
