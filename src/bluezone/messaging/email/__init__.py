# SPDX-License-Identifier: Apache-2.0
"""E-mail: an outbox in the office store, which the tick sends through the city's own SMTP server."""
