#!/bin/sh
# Runs a command as compose runs a service of livemon's image, without Docker: as root under
# `unshare --mount --net --pid --fork --mount-proc`, it makes the root file system read-only, mounts VOLUME as /var/lib/livemon
# and a /tmp of its own, and becomes an unprivileged user with no capability left.
#
# FILES holds passwd and hosts, and what else the container has: etc (mounted as /var/lib/etc, as a mount point in /etc would
# have to be made on this machine), secrets (copied to /run/secrets with their owners), postgres (the folder of a socket, or a
# link to it: 127.0.0.1:5432 leads there).
#
#   container.sh VOLUME FILES UID COMMAND ...
set -eu
tests=$(cd "$(dirname "$0")" && pwd) volume=$1 files=$2 user=$3
shift 3
mount --make-rprivate /
mount -t tmpfs -o size=1m,mode=755 tmpfs /var/lib
mkdir /var/lib/livemon
mount --bind "$volume" /var/lib/livemon
for name in etc postgres; do
    [ -e "$files/$name" ] || continue
    mkdir "/var/lib/$name"
    mount --bind "$(readlink -f "$files/$name")" "/var/lib/$name"
done
for name in passwd hosts; do mount --bind "$files/$name" "/etc/$name"; done
mount -o remount,bind,ro /var/lib
mount -t tmpfs -o size=1m,mode=755 tmpfs /run
[ ! -e "$files/secrets" ] || cp -a "$files/secrets" /run/secrets
mount -o remount,bind,ro /run
mount -t tmpfs -o size=64m,mode=1777 tmpfs /tmp
mount -o remount,bind,ro /
python3 -c '
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
'
if [ -d /var/lib/postgres ]; then
    mkfifo /tmp/carries
    python3 "$tests/carry.py" >/tmp/carries &
    read -r _ </tmp/carries # its first line: now it listens
fi
exec setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
