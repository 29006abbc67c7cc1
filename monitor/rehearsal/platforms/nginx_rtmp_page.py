"""The stat page of nginx-rtmp as the real module writes it: byte for byte in its form, with the rooms of a play."""

from collections.abc import Sequence

from ..event.play import RoomNow

HEAD = """\
<?xml version="1.0" encoding="utf-8" ?>
<rtmp>
<nginx_version>1.26.3</nginx_version>
<nginx_rtmp_version>1.1.4</nginx_rtmp_version>
<built>Apr 11 2025 12:27:04</built>
<pid>{pid}</pid>
<uptime>{uptime_s}</uptime>
<naccepted>{accepted}</naccepted>
<bw_in>{bits_in}</bw_in>
<bytes_in>{bytes_in}</bytes_in>
<bw_out>{bits_out}</bw_out>
<bytes_out>{bytes_out}</bytes_out>
<server>
<application>
<name>live</name>
<live>
"""
STREAM = """\
<stream>
<name>{name}</name>
<time>{time_ms}</time><bw_in>{bits_in}</bw_in>
<bytes_in>{bytes_in}</bytes_in>
<bw_out>{bits_out}</bw_out>
<bytes_out>{bytes_out}</bytes_out>
<bw_audio>{bits_audio}</bw_audio>
<bw_video>{bits_video}</bw_video>
"""
CLIENT = (
    "<client><id>{id}</id><address>{address}</address><time>{time_ms}</time><flashver>{flashver}</flashver>"
    "<dropped>0</dropped><avsync>-9</avsync><timestamp>{timestamp}</timestamp>{state}</client>\n"
)
META = (
    "<meta><video><width>720</width><height>1280</height><frame_rate>30</frame_rate><codec>H264</codec>"
    "<profile>High</profile><compat>0</compat><level>3.1</level></video>"
    "<audio><codec>AAC</codec><profile>LC</profile><channels>2</channels><sample_rate>44100</sample_rate></audio></meta>\n"
)
STREAM_TAIL = "<nclients>{clients}</nclients>\n{state}</stream>\n"
TAIL = "<nclients>{clients}</nclients>\n</live>\n</application>\n</server>\n</rtmp>\n"

WINDOW_S = 10.0  # nginx averages rates over so long: 0 in the first window, the old rate in the one after the end
ENCODER = "FMLE/3.0 (compatible; Lavf61.7."
PLAYER = "LNX 9,0,124,2"


def stat_page(rooms: Sequence[RoomNow], pid: int, uptime_s: int) -> bytes:
    """What nginx answers while these rooms stand so. A room that nobody publishes or waits for is not listed."""
    listed = [room for room in rooms if room.on_air and (room.publishing or room.viewers)]
    clients = sum(room.viewers + room.publishing for room in listed)
    bits_in = sum(rate(room) for room in listed)
    bytes_in = sum(received(room) for room in listed)
    head = HEAD.format(
        pid=pid,
        uptime_s=uptime_s,
        accepted=clients,
        bits_in=bits_in,
        bytes_in=bytes_in,
        bits_out=sum(rate(room) * room.viewers for room in listed),
        bytes_out=sum(received(room) * room.viewers for room in listed),
    )
    page = head + "".join(map(stream, listed)) + TAIL.format(clients=clients)
    return page.replace("\n", "\r\n").encode()


def stream(room: RoomNow) -> str:
    bits_in = rate(room)
    state = "<publishing/>\n<active/>\n" if room.publishing else ""
    head = STREAM.format(
        name=room.part.room.partition("/")[2],
        time_ms=round(room.received_s * 1000),
        bits_in=bits_in,
        bytes_in=received(room),
        bits_out=bits_in * room.viewers,
        bytes_out=received(room) * room.viewers,
        bits_audio=min(bits_in, 96_000),
        bits_video=max(0, bits_in - 96_000),
    )
    meta = META if room.publishing else ""
    return head + listed_clients(room) + meta + STREAM_TAIL.format(clients=room.viewers + room.publishing, state=state)


def listed_clients(room: RoomNow) -> str:
    """The clients of a stream as nginx lists them: the newest first, the publisher after them."""
    timestamp = round(room.received_s * 1000) & 0xFFFFFFFF
    state = "<active/>" if room.publishing else ""
    lines = [
        CLIENT.format(
            id=1_000_000 + room.part.number * 10_000 + number,
            address=f"10.{room.part.number % 250}.{number // 250}.{number % 250 + 1}",
            time_ms=max(0, round(room.received_s * 1000) - number * 100),
            flashver=PLAYER,
            timestamp=timestamp,
            state=state,
        )
        for number in range(room.viewers, 0, -1)
    ]
    if room.publishing:
        lines.append(
            CLIENT.format(
                id=room.connection,
                address="127.0.0.1",
                time_ms=round(room.connected_s * 1000),
                flashver=ENCODER,
                timestamp=timestamp,
                state="<publishing/>" + state,
            )
        )
    return "".join(lines)


def rate(room: RoomNow) -> int:
    settled = room.connected_s >= WINDOW_S and room.frozen_s < WINDOW_S
    return room.kbps * 1000 if settled else 0


def received(room: RoomNow) -> int:
    """Bytes, from whole milliseconds: they must stand still, to the byte, while an encoder is frozen."""
    return round(room.received_s * 1000) * room.kbps // 8
