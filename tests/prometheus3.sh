#!/usr/bin/env bash
# promtool of Prometheus 3, beside the 2.53 of Debian 13: taken from Debian's next release and unpacked into .tools, as the
# rules are for both. Nothing is installed. Exit code 1 where it cannot be had, with the reason.
set -euo pipefail
cd "$(dirname "$0")/.."
into=.tools/prometheus3
[ ! -x "$into/promtool" ] || exit 0
command -v apt-get dpkg-deb >/dev/null || { echo "Prometheus 3 for the tests: only Debian is known to have it" >&2; exit 1; }

. /etc/os-release
where=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
    awk -v own="${VERSION_CODENAME:-}" '$1 == own { print $2; exit }')
[ -n "$where" ] || { echo "Prometheus 3 for the tests: apt knows no mirror of Debian; run apt-get update" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/get"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
apt=(apt-get -q -o Acquire::Retries=3 -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User="$(id -un)"
    -o Acquire::Check-Valid-Until=false) # a mirror may be weeks behind; what it has is signed all the same
for release in testing unstable; do # a package may be missing from testing for a while
    echo "deb [signed-by=$keyring] $where $release main" >"$work/sources.list"
    if "${apt[@]}" update >"$work/said" 2>&1 && (cd "$work/get" && "${apt[@]}" download promtool) >>"$work/said" 2>&1; then
        dpkg-deb -x "$work"/get/promtool_3*.deb "$work/unpacked"
        mkdir -p "$into"
        mv "$work/unpacked/usr/bin/promtool" "$into/promtool"
        exit 0
    fi
done
tail -3 "$work/said" >&2
echo "Prometheus 3 for the tests: it could not be fetched from Debian's next release" >&2
exit 1
