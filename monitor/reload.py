"""What a config that was read again changes in a running monitor, and what waits for the next start."""

import logging

import msgspec

from monitor.config import Config

log = logging.getLogger(__name__)
FOLLOWED = (
    "feeds", "event", "roster", "apps", "rates", "hooks_url", "robots", "shifts", "contacts", "grafana_url",
)  # fmt: skip
FIXED = (
    "purpose", "data_dir", "dsn", "listen", "hooks_listen", "trusted_proxies", "spool_key_file", "buyer_key_file",
    "account_key_file", "timezone", "event_currency", "spool_bytes_max", "grace_s", "end_slack_s", "public_url",
    "alertmanager_url", "deadman_url",
)  # fmt: skip


def taken_over(present: Config, read: Config) -> Config:
    """The config from now on; what cannot change while we run is said."""
    later = [name for name in FIXED if getattr(read, name) != getattr(present, name)]
    if later:
        log.warning("these settings wait for the next start: %s", ", ".join(later))
    return msgspec.structs.replace(present, **{name: getattr(read, name) for name in FOLLOWED})
