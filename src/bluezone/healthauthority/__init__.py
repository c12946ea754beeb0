# SPDX-License-Identifier: Apache-2.0
"""Health workers: codes for cases, publication times, audit."""
