SELECT
  platform, {{commerce_figures}},
  (SELECT as_of FROM (
  {{newest_sale}}
  ) AS newest WHERE newest.platform = sold.platform) AS as_of
FROM (
  {{sold}}
) AS sold
CROSS JOIN (SELECT event_currency AS currency FROM setting) AS setting
GROUP BY platform, currency
ORDER BY sum(gmv_minor) DESC, platform
LIMIT 50
