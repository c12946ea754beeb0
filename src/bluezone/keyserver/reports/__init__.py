# SPDX-License-Identifier: Apache-2.0
"""A patient's report: the code, the blind signature for it, the upload, and what slows down guessing."""
