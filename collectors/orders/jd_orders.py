"""JD (京东): orders of POP shops, asked for; no push of JD's is known to us. What a page means: apis/jd_pages.py."""

from ..hook import OrderPollRow


class JdOrders(OrderPollRow, tag="jd_orders", frozen=True, kw_only=True):
    PLATFORM = "jd"
