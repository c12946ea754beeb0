# SPDX-License-Identifier: Apache-2.0
"""Migrate an empty store quickly. With Django's own `migrate`, this would be most of a first start.

For each new model Django renders all related models again: forty for each of a hundred tables. In an empty store no
code has used the earlier models yet, so only the new model is rendered.
tests/server/test_firstmigration.py compares the resulting schemas.
"""

from typing import Any

from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState


class GrowingState(ProjectState):
    """A state to which models are only added; Django itself handles fields that are added later."""

    def add_model(self, model_state: ModelState) -> None:
        """Add a model, and render it if the others are rendered."""
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
    """Run all migrations; returns False and does nothing if some have run in this store already."""
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
