# SPDX-License-Identifier: Apache-2.0
"""Texts of bulletins and their sound: written, recorded, and approved after listening."""
