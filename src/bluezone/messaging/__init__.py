# SPDX-License-Identifier: Apache-2.0
"""SMS, Web Push, e-mail and CAP: one provider, one module."""
