"""Xiaohongshu (小红书): orders, asked for, without its push. What a page means: apis/xiaohongshu.py."""

from typing import Literal

from ..hook import OrderPollRow


class XiaohongshuOrders(OrderPollRow, tag="xiaohongshu_orders", frozen=True, kw_only=True):
    amounts_in: Literal["fen", "yuan"]  # of the order's detail: no page that we could read says it

    PLATFORM = "xiaohongshu"
