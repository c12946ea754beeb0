# SPDX-License-Identifier: Apache-2.0
"""Leaflets, posters, letters, texts and pictures to download, print and pass on."""
