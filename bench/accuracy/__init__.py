# SPDX-License-Identifier: Apache-2.0
"""How well the phone tells near from far, judged on recordings of phones: docs/accuracy.md."""
