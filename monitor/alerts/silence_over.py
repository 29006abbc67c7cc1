"""The message that a silence has ended while what it hid still fires."""

from collections.abc import Sequence
from datetime import tzinfo

from monitor.alerts.notice import Language, Notice
from monitor.alerts.silence import Silence
from monitor.alerts.silences import Listed

SHOWN_MAX = 20
WORDS = {
    "zh": ("【静默结束】{by} 的静默已于 {at} 结束,仍有 {count} 条告警", "静默:{what}{reason}", "另有 {more} 条"),
    "en": ("[SILENCE OVER] {by}'s ended at {at}; {count} alerts still fire", "silence: {what}{reason}", "{more} more"),
}


def key(silence: Silence) -> str:
    """A silence that is renewed and ends again is another end."""
    return f"silence over {silence.id} {silence.ends_at.isoformat()}"


def notice(silence: Silence, heard: Sequence[Listed], zone: tzinfo, language: Language) -> Notice:
    title, what, more = WORDS[language]
    reason = f" ({silence.reason})" if silence.reason else ""
    lines = [what.format(what=" ".join(map(str, silence.matchers)), reason=reason)]
    lines += [_line(each) for each in heard[:SHOWN_MAX]]
    if len(heard) > SHOWN_MAX:
        lines.append(more.format(more=len(heard) - SHOWN_MAX))
    severities = {each.labels.get("severity", "") for each in heard}
    severity = next((each for each in ("critical", "warning") if each in severities), "info")
    at = f"{silence.ends_at.astimezone(zone):%H:%M}"
    return Notice("silence_over", severity, title.format(by=silence.by, at=at, count=len(heard)), tuple(lines))


def _line(alert: Listed) -> str:
    labels = alert.labels
    where = " ".join(filter(None, (labels.get("platform"), labels.get("hall"), labels.get("room"), labels.get("feed"))))
    who = labels.get("anchor", "")
    return " ".join(filter(None, (labels.get("alertname", ""), who, f"({where})" if where else "")))
