"""Whether the locks of a file system hold for all machines that use it, by how it is mounted.

Sources: nfs(5) (nolock, local_lock), mount.lustre(8) (flock, localflock, noflock), mount.cifs(8)
(nobrl), and the documentation of the file systems in user space. BeeGFS does not show its setting
(tuneUseGlobalFileLocks, off by default).
Where nothing is known, locks are trusted: `files.exclusive` still refuses where there are none.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")  # proc(5); there is none on macOS
# Buckets of objects and the like in user space: each machine has its own locks.
_FUSE_WITHOUT = (
    *("fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.rclone", "fuse.sshfs", "fuse.blobfuse"),
    *("fuse.blobfuse2", "fuse.mountpoint-s3", "fuse.geesefs", "fuse.davfs", "fuse.tigrisfs"),
)


def why_not_shared(folder: Path) -> str | None:
    """The file system and what it lacks, in words, where locks hold on this machine alone."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    return in_mounts(mounts, os.path.realpath(folder))


def in_mounts(mounts: str, path: str) -> str | None:
    """The same by the text of mountinfo. Pure."""
    best, found = -1, ("", set[str]())
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(rest) < 3:
            continue
        point = _unescaped(fields[4]).rstrip("/")
        # The last one counts of several at the same place: it lies over the others.
        if (path == point or path.startswith(f"{point}/")) and len(point) >= best:
            best, found = len(point), (rest[0], {*fields[5].split(","), *rest[2].split(",")})
    return _why(*found)


def _unescaped(text: str) -> str:
    """A path as it is: spaces and the like are in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _why(kind: str, options: set[str]) -> str | None:
    if kind in ("nfs", "nfs4"):
        local = options & {"nolock", "local_lock=all", "local_lock=flock"}
        return f"NFS mounted with {min(local)}" if local else None
    if kind == "lustre":
        return None if "flock" in options else "Lustre mounted without the option flock"
    if kind in ("cifs", "smb3"):
        return f"{kind.upper()} mounted with nobrl" if "nobrl" in options else None
    if kind in _FUSE_WITHOUT:
        return f"{kind.removeprefix('fuse.')} ({kind})"
    return None
