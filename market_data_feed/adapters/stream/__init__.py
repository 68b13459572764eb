"""The WebSocket stream: each message encoded once, each subscriber with a bounded queue, one sender
for all.
"""
