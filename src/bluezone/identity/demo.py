# SPDX-License-Identifier: Apache-2.0
"""The person in whose name the office of a demo works."""

from bluezone.identity.models import User


def demo_office() -> User:
    """An account that nobody can sign in to; made when it is first asked for."""
    user, made = User.objects.get_or_create(username="demo-office", defaults={"name": "Văn phòng (trình diễn)"})
    if made:
        user.is_active = False
        user.set_unusable_password()
        user.save()
    return user
