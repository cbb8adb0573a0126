"""The one-sector guest: it counts its boots on its own disk and answers to hot-unplug and the power button."""
import os
import struct

CODE = bytes.fromhex("""
fa31c08ed88ec08ed0bc007cfb88166a7cb442e84a0066ff06087eb80043e83f00be7b7cac84c07406baf803eeebf5ba0206
b80001eff4ba0006edf6c4017407ba0406b80020efba10ae6631c066efba04ae66ed6685c074ddba08ae66efebd6be6b7c8a
166a7ccd13c30010000100007e000001000000000000004c4142475545535420626f6f7465640d0a
""")


def guest_image() -> bytes:
    """A 1 MiB raw disk: boot sector, counter sector, then random bytes."""
    part = struct.pack("<B3BB3BII", 0x80, 0, 2, 0, 0x83, 0, 32, 0, 2, 2046)
    body = CODE.ljust(446, b"\0") + part.ljust(64, b"\0") + b"\x55\xaa" + b"LABGUEST".ljust(512, b"\0")
    return body + os.urandom((1 << 20) - len(body))
