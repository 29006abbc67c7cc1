-- Today so far against yesterday until the same minute, by platform. 今天到此刻与昨天同一时刻对比。
SELECT
    platform AS "平台 Platform",
    gmv AS "今天成交额 GMV today", gmv_yesterday AS "昨天同期成交额 GMV yesterday by then",
    round(100 * change_ratio, 1) AS "变化% Change",
    orders AS "今天订单 Orders today", orders_yesterday AS "昨天同期订单 Orders yesterday by then",
    as_of AS "截至 As of"
FROM event_pace
ORDER BY gmv_minor DESC NULLS LAST, platform
