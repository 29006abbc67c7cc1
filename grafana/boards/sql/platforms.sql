SELECT DISTINCT platform FROM room WHERE active ORDER BY platform LIMIT 999
