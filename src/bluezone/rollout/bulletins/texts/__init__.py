# SPDX-License-Identifier: Apache-2.0
"""The texts of bulletins: written in versions, pronounced and recorded, and approved after listening."""
