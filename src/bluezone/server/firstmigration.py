# SPDX-License-Identifier: Apache-2.0
"""Migrate an empty store quickly. With Django's own `migrate`, this would be most of a first start.

For each new or changed model Django renders all related ones again: thirty for each of four hundred. In an empty store
no code has used the earlier models yet, so only the model itself is rendered.
tests/server/test_firstmigration.py compares the resulting schemas and rows.
"""

from typing import Any

from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState


class GrowingState(ProjectState):
    """A state in which one model is rendered at a time."""

    def add_model(self, model_state: ModelState) -> None:
        """Add a model, and render it if the others are rendered."""
        key = model_state.app_label, model_state.name_lower
        self.models[key] = model_state
        if self._relations is not None:  # type: ignore[attr-defined]
            self.resolve_model_relations(key)
        if "apps" in self.__dict__:
            self.apps.render_multiple([model_state])

    def _find_reload_model(self, app_label: str, model_name: str, delay: bool = False) -> set[tuple[str, str]]:
        """Return the models to render again: the changed one.

        Before an operation that runs code of a migration, Django renders all models, because of `is_delayed`.
        """
        self.is_delayed = True
        return {(app_label, model_name)}

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
