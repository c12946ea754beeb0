# SPDX-License-Identifier: Apache-2.0
"""The agency that gets a directive: its inbox, every act on it, requests for a change or more time, and the daily
digest.
"""
