"""Whether what looks at rooms in doubt is installed, where a feed asks for it."""

from collectors.servers.icecast import Icecast
from collectors.servers.nginx_rtmp import NginxRtmp
from monitor.doctor.finding import fine, wrong
from monitor.doctor.probes import check_probes

PLAIN = Icecast(name="radio", url="http://10.0.0.9:8000")
HALLS = [
    NginxRtmp(name=f"hall-{number}", url="http://h/stat", probe_url="rtmp://h/{room}?token=canary")
    for number in range(7)
]


def test_nothing_is_said_where_nobody_asks_for_it():
    assert check_probes([PLAIN], lambda name: None) == []


def test_it_is_there_or_it_is_said_how_to_get_it():
    assert check_probes([PLAIN, *HALLS], "/bin/{}".format) == [
        fine("ffprobe", "/bin/ffprobe: rooms in doubt of 7 feeds can be looked at")
    ]
    names = "hall-0, hall-1, hall-2, hall-3, hall-4 ..."
    assert check_probes([PLAIN, *HALLS], lambda name: None) == [
        wrong(
            "ffprobe",
            f"is not installed, though feeds have a probe_url: {names}",
            "`apt-get install ffmpeg`, or take probe_url out: all else works without it",
        )
    ]
