"""Every kind of feed there is. A new one adds its import and its name to `Feed`, nothing else."""

from typing import get_args

from .collector import FeedRow
from .servers.nginx_rtmp import NginxRtmp

Feed = NginxRtmp  # the next one: NginxRtmp | Srs

KINDS: tuple[type[FeedRow], ...] = get_args(Feed) or (Feed,)
