# SPDX-License-Identifier: Apache-2.0
"""The Django app of directives."""

from django.apps import AppConfig


class DirectivesConfig(AppConfig):
    """Orders on their way: taken in, approved, sent, followed, reported on."""

    name = "bluezone.rollout.directives"

    def ready(self) -> None:
        """A practised letter is erased as a whole, and its files when nothing refers to them any more; what an agency
        that ends leaves open goes to its successor at once.
        """
        from django.utils import timezone

        from bluezone import training
        from bluezone.directory.apps import FOLLOWERS
        from bluezone.rollout.directives import models, retention
        from bluezone.rollout.directives.issuance import recipient_changes

        training.purge_with(models.Directive, retention.purge_practice)
        training.purge_with(models.StoredFile, retention.purge_practice_files)
        FOLLOWERS.append(lambda: recipient_changes.follow_successors(timezone.now()))
