# SPDX-License-Identifier: Apache-2.0
"""The address that gates call on the public origin."""

from django.urls import path

from bluezone.rollout.gates.counts import endpoints

urlpatterns = [path("v1/gates/counters", endpoints.counters, name="gate-counters")]
