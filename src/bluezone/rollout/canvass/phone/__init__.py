# SPDX-License-Identifier: Apache-2.0
"""The offline app of canvass phones: files of its own and some of the face, with the list of what it keeps."""
