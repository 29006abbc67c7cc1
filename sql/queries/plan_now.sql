-- The plan against reality, now: how many of the rooms that should be on air are, by hall. 排期与实况（此刻，按场馆）。
SELECT
    hall AS "场馆 Hall",
    count(*) AS "应播 Expected",
    count(*) FILTER (WHERE verdict = 'live') AS "直播中 Live",
    count(*) FILTER (WHERE verdict = 'late') AS "迟到 Late",
    count(*) FILTER (WHERE verdict = 'missing') AS "应播未播 Missing",
    count(*) FILTER (WHERE verdict = 'ended_early') AS "提前下播 Ended early",
    count(*) FILTER (WHERE verdict = 'dropped') AS "断流 Dropped",
    count(*) FILTER (WHERE verdict = 'lost') AS "断流未恢复 Lost",
    count(*) FILTER (WHERE verdict = 'unseen') AS "看不见 Unseen",
    round(max(late_s) / 60) AS "最长迟到分钟 Late minutes at most"
FROM expected_now
GROUP BY hall
ORDER BY count(*) FILTER (WHERE verdict <> 'live') DESC, hall
