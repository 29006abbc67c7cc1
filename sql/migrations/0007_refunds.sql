-- A refund follows its order to the session in which that was paid, so both are found by the order. Two small indexes, so
-- that most orders, which nobody returns, cost one look into the small one. Not by platform first: see 0002.
CREATE INDEX sale_refund ON sale (order_id, shop) WHERE kind = 'refunded';
CREATE INDEX sale_paid ON sale (order_id, shop) WHERE kind = 'paid';
