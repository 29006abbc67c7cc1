SELECT state_zh AS "状态 State", since AS "自 Since", hall AS "场馆 Hall", anchor AS "主播 Anchor",
  platform AS "平台 Platform", external_id AS "直播间 Room", viewers AS "在线 Viewers", views_total AS "场观 Views",
  kbps AS "码率 Bit rate", CASE WHEN expected THEN '是' ELSE '' END AS "应播 Expected",
  slot_starts_at AS "排期开始 Slot", slot_ends_at AS "排期结束 Slot end", last_tick_at AS "最近采样 Last tick",
  contact AS "联系人 Contact"
FROM room_now
WHERE hall ~ '^(${hall:pipe})$'
ORDER BY array_position(ARRAY[4, 2, 3, 5, 1, 0], state_code), viewers DESC NULLS LAST, external_id
LIMIT 500
