#!/usr/bin/env bash
# The programs that tests start: real nginx-rtmp, Icecast, Caddy, ffmpeg, Prometheus (and promtool of its next major),
# Alertmanager, compose, and Chromium with a Chinese font and Node, which draw the boards. On Debian or Ubuntu as root what is
# missing is installed; elsewhere it is named. Under CI=true a missing program is a failure.
set -euo pipefail

declare -A packages=(
    [nginx]="nginx libnginx-mod-rtmp" [ffmpeg]=ffmpeg [promtool]=prometheus [amtool]=prometheus-alertmanager
    [docker-compose]="docker-compose docker-cli" [mkfs.ext4]=e2fsprogs [ps]=procps [caddy]=caddy
    [curl]=curl [openssl]=openssl [icecast2]=icecast2 [chromium]="chromium fonts-noto-cjk" [node]=nodejs [npm]=npm
)
missing=()
PATH=$PATH:/usr/sbin:/sbin
for program in "${!packages[@]}"; do
    command -v "$program" >/dev/null || missing+=("$program")
done
ls /usr/lib/nginx/modules/ngx_rtmp_module.so >/dev/null 2>&1 || missing+=(nginx)
ls /usr/share/fonts/opentype/noto/NotoSansCJK-*.ttc >/dev/null 2>&1 || missing+=(chromium)
bash "$(dirname "$0")/prometheus3.sh" || [ "${CI:-}" != true ]
[ ${#missing[@]} -gt 0 ] || exit 0

wanted=()
for program in "${missing[@]}"; do wanted+=(${packages[$program]}); done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing for the tests: ${wanted[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # No service may start by itself: the tests start what they need, on ports of their own.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get update -q >/dev/null
    apt-get install -y -q --no-install-recommends "${wanted[@]}" >/dev/null
else
    echo "missing for the tests: ${missing[*]}; install: apt install ${wanted[*]}" >&2
    [ "${CI:-}" != true ] || exit 1
fi
