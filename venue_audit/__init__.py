"""`./venue audit`: folds the order log and the settlement reports again from nothing and compares
with the databases.

Two proofs that share nothing but the databases. The first folds the log from row 1 through the same
engine and ledger as the services; the second rebuilds balances and holdings from the settlement
reports alone.
"""
