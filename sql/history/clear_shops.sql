DELETE FROM shop_hour AS gone USING unnest($2::text[], $3::text[]) AS told (platform, shop)
WHERE gone.hour = $1 AND gone.platform = told.platform AND gone.shop = told.shop
