#!/bin/sh
# Makes the passwords of docker-compose.yml under secrets/, once; what is there already stays.
set -eu
umask 077
cd "$(dirname "$0")/.."

if [ "$(id -u)" = 0 ]; then
    echo "run this as the ordinary user who shall own the secrets, not as root" >&2
    exit 1
fi

mkdir -p secrets/livemon secrets/servers
chmod 700 secrets # nobody else of this machine gets in, whatever the files inside allow

for name in pg_superuser pg_owner pg_writer pg_reader pg_hall grafana_admin; do
    file=secrets/servers/$name
    # Hexadecimal: no character that a shell, a DSN or Grafana's own $ would read in its own way.
    [ -s "$file" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$file"
    chmod 444 "$file" # read by PostgreSQL's and Grafana's own users inside their containers
done
for name in pg_owner pg_writer pg_reader; do
    cat "secrets/servers/$name" >"secrets/livemon/$name"
    chmod 600 "secrets/livemon/$name" # livemon refuses a secret that others may read
done
echo "secrets/ is ready; Grafana's admin password is in secrets/servers/grafana_admin"
