-- Per room: which feed tells whether it is on air, its viewers, its sales; or why none does.
CREATE OR REPLACE VIEW room_coverage AS
SELECT
    room.room_id, room.platform, room.external_id, room.anchor, room.hall,
    covered.live_by, covered.viewers_by, covered.sales_by, covered.why, covered.why_zh
FROM room
CROSS JOIN LATERAL (
    SELECT
        coalesce(min(told.by_feeds) FILTER (WHERE told.signal = 'live'), '{}') AS live_by,
        coalesce(min(told.by_feeds) FILTER (WHERE told.signal = 'viewers'), '{}') AS viewers_by,
        coalesce(min(told.by_feeds) FILTER (WHERE told.signal = 'sales'), '{}') AS sales_by,
        string_agg(told.signal || ': ' || told.why, '; ' ORDER BY told.place) AS why,
        string_agg(told.signal_zh || '：' || told.why_zh, '；' ORDER BY told.place) AS why_zh
    FROM (
        SELECT
            signal.place, signal.signal, signal.signal_zh, answer.by_feeds,
            CASE
                WHEN answer.by_feeds IS NOT NULL THEN NULL
                WHEN answer.refused IS NOT NULL THEN answer.refused
                WHEN answer.elsewhere IS NOT NULL THEN format('this room is not among those of feed %s', answer.elsewhere)
                WHEN answer.silent IS NOT NULL THEN format('feed %s does not tell it', answer.silent)
                WHEN answer.feeds > 0 THEN format('no feed of platform %s tells it', room.platform)
                ELSE format('no feed is configured for platform %s', room.platform)
            END AS why,
            CASE
                WHEN answer.by_feeds IS NOT NULL THEN NULL
                WHEN answer.refused_zh IS NOT NULL THEN answer.refused_zh
                WHEN answer.elsewhere IS NOT NULL THEN format('数据源 %s 不包含本直播间', answer.elsewhere)
                WHEN answer.silent IS NOT NULL THEN format('数据源 %s 不提供此项', answer.silent)
                WHEN answer.feeds > 0 THEN format('平台 %s 的数据源均不提供此项', room.platform)
                ELSE format('平台 %s 未配置数据源', room.platform)
            END AS why_zh
        FROM (VALUES (1, 'live', '直播状态'), (2, 'viewers', '在线人数'), (3, 'sales', '订单')) AS signal (place, signal, signal_zh)
        CROSS JOIN LATERAL (
            SELECT
                array_agg(seen.feed ORDER BY seen.feed) FILTER (WHERE seen.tells AND seen.covers AND NOT seen.refused) AS by_feeds,
                string_agg(format('feed %s refused: %s', seen.feed, coalesce(nullif(seen.detail, ''), 'no reason given')), ', '
                    ORDER BY seen.feed) FILTER (WHERE seen.tells AND seen.covers AND seen.refused) AS refused,
                string_agg(format('数据源 %s 被拒绝：%s', seen.feed, coalesce(nullif(seen.detail, ''), '未说明原因')), '，'
                    ORDER BY seen.feed) FILTER (WHERE seen.tells AND seen.covers AND seen.refused) AS refused_zh,
                string_agg(seen.feed, ', ' ORDER BY seen.feed) FILTER (WHERE seen.tells AND NOT seen.covers) AS elsewhere,
                string_agg(seen.feed, ', ' ORDER BY seen.feed) FILTER (WHERE NOT seen.tells AND seen.covers) AS silent,
                count(*) AS feeds
            FROM (
                SELECT
                    feed.feed, feed.detail, feed.state = 'refused' AS refused,
                    signal.signal = ANY (feed.signals) AS tells,
                    feed_room.feed IS NOT NULL OR heard.shop IS NOT NULL AS covers
                FROM feed
                LEFT JOIN feed_room ON feed_room.feed = feed.feed AND feed_room.room_id = room.room_id
                    AND feed_room.to_at IS NULL
                -- An order feed may belong to another platform than the room whose shop it hears.
                LEFT JOIN LATERAL (
                    SELECT sale.shop
                    FROM sale
                    WHERE signal.signal = 'sales' AND 'sales' = ANY (feed.signals) AND room.shop <> ''
                        AND sale.platform = feed.platform AND sale.shop = room.shop AND sale.feed = feed.feed
                    LIMIT 1
                ) AS heard ON feed_room.feed IS NULL
                WHERE feed.configured
                    AND (feed.platform = room.platform OR feed_room.feed IS NOT NULL OR heard.shop IS NOT NULL)
            ) AS seen
        ) AS answer
    ) AS told
) AS covered
WHERE room.active;

COMMENT ON VIEW room_coverage IS
    'One row per active room: which feeds (数据源) tell what of it, as configured in the running monitor, or why none does.';
COMMENT ON COLUMN room_coverage.live_by IS 'Feeds that can tell whether it is on air; empty: the room is unwatched (无数据源).';
COMMENT ON COLUMN room_coverage.viewers_by IS 'Feeds that tell how many are watching.';
COMMENT ON COLUMN room_coverage.sales_by IS 'Feeds that bring its orders, or have brought some of its shop.';
COMMENT ON COLUMN room_coverage.why IS 'For each of live, viewers, sales that no feed tells: why. NULL: all three are told.';
COMMENT ON COLUMN room_coverage.why_zh IS 'The same in Chinese.';
