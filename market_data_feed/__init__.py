"""Consumes: data_feed (event batches, settlement batches, refusals, stream positions). Publishes:
resend requests; WebSocket streams; nothing else. Owns: the market_data database, and in memory the
open orders and the depth derived from it. Promises: everything recorded once, in order, without a
gap; what is shown is recorded; only refusals are forgotten.
"""
