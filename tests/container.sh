#!/bin/sh
# Runs a command as compose runs the service `rehearsal`, without Docker: as root under
# `unshare --mount --net --pid --fork --mount-proc`, it makes the root file system read-only, mounts VOLUME as /var/lib/livemon
# and a /tmp of its own, and becomes the image's unprivileged user with no capability left.
#
#   container.sh VOLUME PASSWD COMMAND ...
set -eu
volume=$1 passwd=$2
shift 2
mount --make-rprivate /
mount -t tmpfs -o size=1m tmpfs /var/lib
mkdir /var/lib/livemon
mount --bind "$volume" /var/lib/livemon
mount --bind "$passwd" /etc/passwd
mount -o remount,bind,ro /var/lib
mount -t tmpfs -o size=64m,mode=1777 tmpfs /tmp
mount -o remount,bind,ro /
python3 -c '
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
'
exec setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
