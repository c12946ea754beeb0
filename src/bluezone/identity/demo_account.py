# SPDX-License-Identifier: Apache-2.0
"""The office of demos and practice: an account that no one can sign in to."""

from bluezone.identity.models import User

DEMO_NAME = "demo-office"


def demo_account() -> User:
    """An account that no one can sign in to; created on the first call."""
    user, is_new = User.objects.get_or_create(username=DEMO_NAME, defaults={"name": "Văn phòng (trình diễn)"})
    if is_new:
        user.is_active = False
        user.set_unusable_password()
        user.save()
    return user
