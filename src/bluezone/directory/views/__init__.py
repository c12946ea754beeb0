# SPDX-License-Identifier: Apache-2.0
"""Pages of the directory, one module for each thing they show."""
