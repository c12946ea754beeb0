# SPDX-License-Identifier: Apache-2.0
"""Web Push: a word to browsers that there are new files, with no disease and no name in it."""
