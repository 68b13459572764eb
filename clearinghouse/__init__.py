"""The money of the venue: ledger, holds, novation, delivery versus payment, accounts.

Consumes: `order_execution` (EventBatch). Publishes: SettlementBatch on `data_feed`.
Owns: clients, keys, accounts, securities deposits, journals, settlement reports in `clearing_data`.
Promises: cash and shares move only here, both legs or neither, each trade exactly once.
"""
