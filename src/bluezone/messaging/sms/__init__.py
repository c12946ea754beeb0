# SPDX-License-Identifier: Apache-2.0
"""Text messages: an outbox in the office store, sent by the tick process through one provider behind one interface.

See docs/messaging.md.
"""
