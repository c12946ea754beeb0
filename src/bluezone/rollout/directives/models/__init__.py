# SPDX-License-Identifier: Apache-2.0
"""What is stored of a directive: the order and its tasks, its way to each agency, and what agencies report."""

from bluezone.rollout.directives.models.directive import (
    Campaign,
    Directive,
    DirectiveState,
    Ending,
    Kind,
    Priority,
    StoredFile,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.models.dispatch import (
    ChangeRequest,
    Dispatch,
    DispatchEvent,
    DispatchState,
    EventKind,
    ExchangedFile,
    ExchangeImport,
    PartnerCertificate,
    PeriodRequest,
    Report,
    ReportState,
)

__all__ = [
    "Campaign",
    "ChangeRequest",
    "Directive",
    "DirectiveState",
    "Dispatch",
    "DispatchEvent",
    "DispatchState",
    "Ending",
    "EventKind",
    "ExchangeImport",
    "ExchangedFile",
    "Kind",
    "PartnerCertificate",
    "PeriodRequest",
    "Priority",
    "Report",
    "ReportState",
    "StoredFile",
    "Task",
    "TaskParty",
]
