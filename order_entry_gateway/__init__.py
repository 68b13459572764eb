"""The door of the venue: who are you, is this well formed, are you covered; writes the order log.

Consumes: requests over REST and WebSocket. Publishes: CommandBatch on `order_entry`, OrderReports
on `data_feed`. Owns: the order log and its sequence; places holds, in `clearing_data`. Promises:
accepted means durable, numbered without a gap, and covered, in one transaction; the same order
twice is one.
"""
