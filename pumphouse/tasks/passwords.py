"""Carry a user's password: its hash, from one Keystone's table to the other's, within one task."""

from __future__ import annotations

import datetime

from pumphouse.clouds.passwords import PasswordRow, Passwords
from pumphouse.errors import CloudError
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context


class CarryPassword(Task):
    """Replace the random password that the user was made with, if it is still that one.

    The hash never leaves this task: not as a result, an event or an error. A password that cannot be
    verified in the destination stays behind; the plan has said so. The random one is then let expire at once:
    nobody knows it, and so Keystone lists these users as what they are (``GET /v3/users?password_expires_at=lt:``).
    """

    def __init__(self, user_id: str) -> None:
        """``user_id`` in the source."""
        super().__init__(user_id)
        self.user_id = user_id

    def execute(self, context: Context) -> bool:
        """Returns whether the old password works in the destination now."""
        here, there = context.source.passwords, context.destination.passwords
        # Only a user whom this unit made: never touch the password of one who was there before.
        user_id = context.mine("user", self.user_id)
        if here is None or there is None or user_id is None:
            return False
        row = here.read(self.user_id)
        if row is None or not row.hash:
            return False
        now = there.read(user_id)
        if there.why_not(row.hash):
            self._expire(context, there, user_id, now)
            return False
        if now is None:
            raise CloudError(
                f"user {user_id} has no row in the destination's password table: "
                "is identity_database the database of that cloud?"
            )
        if now.hash == row.hash:
            return True
        like = {"like": row} if context.carry_expiry else {}
        if not there.replace(user_id, now, row.hash, **like):
            raise CloudError(f"the password of user {user_id} was changed in the destination meanwhile")
        return True

    def _expire(self, context: Context, there: Passwords, user_id: str, now: PasswordRow | None) -> None:
        """Where the database account may not write the dates, nothing is lost but that mark."""
        try:
            if now is not None:
                there.expire(user_id, now, datetime.datetime.now(datetime.UTC))
        except CloudError as error:
            text = f"the random password of user {user_id} could not be let expire: {error}"
            context.store.add_event(context.migration_id, "password not expired", text, unit=context.unit)
