"""The system calls that a program in the sandbox may not make, as the filter that bubblewrap hands to the kernel.

Namespaces already hide files, processes and networks. The filter closes what they leave open: sockets that no network
namespace holds (vsock), memory that no limit counts (System V and POSIX shared memory, memfd), another process's memory
and descriptors, and rarely used parts of the kernel. A call on the list fails with EPERM; so does every call of a
foreign architecture. Numbers: the kernel's asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping

FORBIDDEN: Mapping[str, tuple[int, int]] = {
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
}
"""System call -> its number on x86_64 and on aarch64."""

MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Machine -> the kernel's name of its architecture (AUDIT_ARCH), its column in FORBIDDEN."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
_NUMBER, _ARCHITECTURE = 0, 4
_X32 = 0x40000000
"""Calls of x86_64's second, 32-bit numbering start here."""


def filter_for(machine: str) -> bytes:
    """The filter as an array of `struct sock_filter`, for `bwrap --seccomp`. Raises KeyError on another machine.

    >>> len(filter_for("x86_64")) // 8 == len(FORBIDDEN) + 6
    True
    """
    architecture, column = MACHINES[machine]
    numbers = [pair[column] for pair in FORBIDDEN.values()]
    ahead = len(numbers)
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, ahead + 3, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, ahead + 1, 0, _X32),
        *((_EQUAL, ahead - place, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)
