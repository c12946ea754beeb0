# SPDX-License-Identifier: Apache-2.0
"""A witness: a separate program, on the machine of another operator, that cosigns cities' logs if they only grew."""
