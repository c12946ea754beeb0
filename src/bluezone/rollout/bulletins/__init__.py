# SPDX-License-Identifier: Apache-2.0
"""Bulletins (clause 6): texts and their sound, approved after listening; when and where they are aired, and were."""
