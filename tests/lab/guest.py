"""The guest: one boot sector that counts its boots on its own disk (source: guest.asm).

Sector 0 holds the program, sector 1 the tag and the counter, the rest random bytes, by which
tests recognise a disk.  It needs machine type `pc` and answers the ACPI power button and PCI hot-unplug.
"""

from __future__ import annotations

import os
import struct

SECTOR = 512
#: What sector 1 begins with; the 32-bit counter of boots follows it.
TAG = b"LABGUEST"
#: What the guest writes to its serial console at each boot.
GREETING = "LABGUEST booted"

#: guest.asm, assembled with `nasm -f bin`, without the padding and the signature at its end.
CODE = bytes.fromhex(
    "fa31c08ed88ec08ed0bc007cfb88166a7cb442e84a0066ff06087eb80043e83f00be7b7cac84c07406baf803eeebf5ba"
    "0206b80001eff4ba0006edf6c4017407ba0406b80020efba10ae6631c066efba04ae66ed6685c074ddba08ae66efebd6"
    "be6b7c8a166a7ccd13c30010000100007e000001000000000000004c4142475545535420626f6f7465640d0a"
)


def guest_image(size: int = 1 << 20) -> bytes:
    """A raw bootable disk of `size` bytes (a multiple of 512, at least 64 sectors); no two are alike."""
    if size % SECTOR or size < 64 * SECTOR:
        raise ValueError(f"a guest's disk is a multiple of {SECTOR} bytes and at least {64 * SECTOR}, not {size}")
    # One partition from sector 2 on: Nova and Cinder from 2024 on refuse a boot sector that has none.
    partition = struct.pack("<B3BB3BII", 0x80, 0, 2, 0, 0x83, 0, 32, 0, 2, size // SECTOR - 2)
    boot = CODE.ljust(446, b"\0") + partition.ljust(64, b"\0") + b"\x55\xaa"
    return boot + TAG.ljust(SECTOR, b"\0") + os.urandom(size - 2 * SECTOR)


def boots(disk: bytes) -> int:
    """How many times the guest on this raw disk (its first 1024 bytes suffice) has booted.

    Raises ValueError when it is not a guest's disk.
    """
    sector = disk[SECTOR : 2 * SECTOR]
    if len(sector) < SECTOR or not sector.startswith(TAG):
        raise ValueError(f"not a guest's disk: sector 1 begins with {sector[:8]!r}, not {TAG!r}")
    (count,) = struct.unpack_from("<I", sector, len(TAG))
    return int(count)
