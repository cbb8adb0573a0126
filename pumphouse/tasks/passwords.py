"""Carry a user's password: its hash, from one Keystone's table to the other's, within one task."""

from __future__ import annotations

from pumphouse.errors import CloudError
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context


class CarryPassword(Task):
    """Replace the random password that the user was made with, if it is still that one.

    The hash never leaves this task: not as a result, an event or an error. A password that cannot be
    verified in the destination stays behind; the plan has said so.
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
        if row is None or not row.hash or there.why_not(row.hash):
            return False
        now = there.read(user_id)
        if now is None:
            raise CloudError(
                f"user {user_id} has no row in the destination's password table: "
                "is identity_database the database of that cloud?"
            )
        if now.hash == row.hash:
            return True
        if not there.replace(user_id, now, row.hash):
            raise CloudError(f"the password of user {user_id} was changed in the destination meanwhile")
        return True
