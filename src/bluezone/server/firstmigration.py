# SPDX-License-Identifier: Apache-2.0
"""The migrations of an empty store, without making every model anew for each table: most of a first start otherwise.

Django's own `migrate` draws all models that lead to or from a new one again, forty for each of a hundred tables. In a
store that is empty nobody has looked at the earlier ones, so the new one alone is drawn.
tests/server/test_firstmigration.py compares what both leave.
"""

from typing import Any

from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState


class GrowingState(ProjectState):
    """Models that are only added to; a field that comes later is Django's own work."""

    def add_model(self, model_state: ModelState) -> None:
        """Note a model, and draw it where the others are drawn."""
        key = model_state.app_label, model_state.name_lower
        self.models[key] = model_state
        if self._relations is not None:  # type: ignore[attr-defined]
            self.resolve_model_relations(key)
        if "apps" in self.__dict__:
            self.apps.render_multiple([model_state])

    def clone(self) -> "GrowingState":
        """Return a copy that grows in the same way."""
        copied = super().clone()
        copied.__class__ = GrowingState
        assert isinstance(copied, GrowingState)
        return copied


def migrate_empty(connection: Any) -> bool:
    """Run all migrations; False, and nothing done, when some have run here already."""
    executor = MigrationExecutor(connection)
    if executor.loader.applied_migrations:
        return False
    targets = executor.loader.graph.leaf_nodes()
    plan = executor.migration_plan(targets)
    signals = {"verbosity": 0, "interactive": False, "db": connection.alias}
    emit_pre_migrate_signal(**signals, plan=plan)
    executor.migrate(targets, plan, state=GrowingState(real_apps=executor.loader.unmigrated_apps))
    emit_post_migrate_signal(**signals, plan=plan)
    return True
