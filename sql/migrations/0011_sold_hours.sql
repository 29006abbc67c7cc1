-- What was sold, by the hour: shops and items of a day are summed from these, no longer from the day's sales.
-- An order counts once a day, with its first row of a kind: so hours add up to days.
CREATE TABLE shop_hour (
    day date NOT NULL,
    hour timestamptz NOT NULL,
    platform text NOT NULL,
    shop text NOT NULL,
    currency char(3) NOT NULL,
    created int NOT NULL,
    orders int NOT NULL,
    gmv_minor bigint NOT NULL,
    units bigint NOT NULL,
    buyers int NOT NULL, -- who had not paid here before on this day, inside the event window
    refunds int NOT NULL,
    refunds_minor bigint NOT NULL,
    gifts int NOT NULL,
    gifts_minor bigint NOT NULL
);
CREATE INDEX shop_hour_hour ON shop_hour (hour, platform);
CREATE INDEX shop_hour_day ON shop_hour (day, platform, shop);

-- Items of orders paid, in the event's currency. NULL: no order told pieces, or prices.
CREATE TABLE item_hour (
    day date NOT NULL,
    hour timestamptz NOT NULL,
    platform text NOT NULL,
    shop text NOT NULL,
    item_id text NOT NULL,
    title text NOT NULL,
    orders int NOT NULL,
    units bigint,
    gmv_minor bigint
);
CREATE INDEX item_hour_hour ON item_hour (hour, platform);
CREATE INDEX item_hour_day ON item_hour (day, platform, item_id);

-- "Was there an earlier one?" is asked of each sale that is summed: of its order (paid and refunded: 0007), of its buyer.
CREATE INDEX sale_created ON sale (order_id, shop) WHERE kind = 'created' AND order_id <> '';
CREATE INDEX sale_buyer ON sale (buyer, shop) WHERE kind = 'paid' AND buyer IS NOT NULL;

-- What was sold before this release is summed by the first roller that runs.
INSERT INTO minute_touched (minute, platform)
SELECT DISTINCT date_bin('1 minute', at, timestamptz '2000-01-01 00:00:00+00'), platform FROM sale;
