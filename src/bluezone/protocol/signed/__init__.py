# SPDX-License-Identifier: Apache-2.0
"""Signed files that phones fetch, except exports: the envelope, the config, indexes and epochs, read strictly."""
