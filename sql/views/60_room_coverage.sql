-- Per room: which feed tells whether it is on air, its viewers, its sales; or why none does.
--
-- Rooms that the same feeds cover are told the same, and there are few such kinds of rooms: the words are made once for each.
CREATE OR REPLACE VIEW room_coverage AS
WITH placed AS (
    SELECT
        room.room_id, room.platform, room.external_id, room.anchor, room.hall,
        coalesce(covering.feeds, '{}') AS covering, coalesce(heard.feeds, '{}') AS heard
    FROM room
    LEFT JOIN LATERAL (
        SELECT array_agg(DISTINCT feed_room.feed ORDER BY feed_room.feed) AS feeds
        FROM feed_room
        WHERE feed_room.room_id = room.room_id AND feed_room.to_at IS NULL
    ) AS covering ON true
    LEFT JOIN LATERAL (
        -- An order feed may belong to another platform than the room whose shop it hears. The first row from there on, and not
        -- the first of these three: so the planner takes the index, also where it thinks that any row of sale will do.
        SELECT array_agg(feed.feed ORDER BY feed.feed) AS feeds
        FROM feed
        JOIN LATERAL (
            SELECT sale.shop, sale.feed, sale.platform
            FROM sale
            WHERE (sale.shop, sale.feed, sale.platform) >= (room.shop, feed.feed, feed.platform)
            ORDER BY sale.shop, sale.feed, sale.platform
            LIMIT 1
        ) AS first ON first.shop = room.shop AND first.feed = feed.feed AND first.platform = feed.platform
        WHERE feed.configured AND 'sales' = ANY (feed.signals) AND room.shop <> ''
    ) AS heard ON true
    WHERE room.active
), numbered AS (
    SELECT *, dense_rank() OVER (ORDER BY platform, covering, heard) AS kind FROM placed
), told AS (
    SELECT
        kind.kind,
        coalesce(min(answer.by_feeds) FILTER (WHERE signal.signal = 'live'), '{}') AS live_by,
        coalesce(min(answer.by_feeds) FILTER (WHERE signal.signal = 'viewers'), '{}') AS viewers_by,
        coalesce(min(answer.by_feeds) FILTER (WHERE signal.signal = 'sales'), '{}') AS sales_by,
        string_agg(signal.signal || ': ' || CASE
            WHEN answer.by_feeds IS NOT NULL THEN NULL
            WHEN answer.refused IS NOT NULL THEN answer.refused
            WHEN answer.elsewhere IS NOT NULL THEN format('this room is not among those of feed %s', answer.elsewhere)
            WHEN answer.silent IS NOT NULL THEN format('feed %s does not tell it', answer.silent)
            WHEN answer.feeds > 0 THEN format('no feed of platform %s tells it', kind.platform)
            ELSE format('no feed is configured for platform %s', kind.platform)
        END, '; ' ORDER BY signal.place) AS why,
        string_agg(signal.signal_zh || '：' || CASE
            WHEN answer.by_feeds IS NOT NULL THEN NULL
            WHEN answer.refused_zh IS NOT NULL THEN answer.refused_zh
            WHEN answer.elsewhere IS NOT NULL THEN format('数据源 %s 不包含本直播间', answer.elsewhere)
            WHEN answer.silent IS NOT NULL THEN format('数据源 %s 不提供此项', answer.silent)
            WHEN answer.feeds > 0 THEN format('平台 %s 的数据源均不提供此项', kind.platform)
            ELSE format('平台 %s 未配置数据源', kind.platform)
        END, '；' ORDER BY signal.place) AS why_zh
    FROM (SELECT DISTINCT kind, platform, covering, heard FROM numbered) AS kind
    CROSS JOIN (
        VALUES (1, 'live', '直播状态'), (2, 'viewers', '在线人数'), (3, 'sales', '订单')
    ) AS signal (place, signal, signal_zh)
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
                feed.feed, feed.platform, feed.detail, feed.state = 'refused' AS refused,
                signal.signal = ANY (feed.signals) AS tells,
                feed.feed = ANY (kind.covering) OR signal.signal = 'sales' AND feed.feed = ANY (kind.heard) AS covers
            FROM feed
            WHERE feed.configured
        ) AS seen
        WHERE seen.covers OR seen.platform = kind.platform
    ) AS answer
    GROUP BY kind.kind
)
SELECT
    numbered.room_id, numbered.platform, numbered.external_id, numbered.anchor, numbered.hall,
    told.live_by, told.viewers_by, told.sales_by, told.why, told.why_zh
FROM numbered
JOIN told ON told.kind = numbered.kind;

COMMENT ON VIEW room_coverage IS
    'One row per active room: which feeds (数据源) tell what of it, as configured in the running monitor, or why none does.';
COMMENT ON COLUMN room_coverage.live_by IS 'Feeds that can tell whether it is on air; empty: the room is unwatched (无数据源).';
COMMENT ON COLUMN room_coverage.viewers_by IS 'Feeds that tell how many are watching.';
COMMENT ON COLUMN room_coverage.sales_by IS 'Feeds that bring its orders, or have brought some of its shop.';
COMMENT ON COLUMN room_coverage.why IS 'For each of live, viewers, sales that no feed tells: why. NULL: all three are told.';
COMMENT ON COLUMN room_coverage.why_zh IS 'The same in Chinese.';
