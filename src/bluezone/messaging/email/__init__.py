# SPDX-License-Identifier: Apache-2.0
"""E-mail: an outbox in the office store, sent through the city's own SMTP server by the tick."""
