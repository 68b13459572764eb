"""Who sets what trading costs: the fee schedule, its tiers, and how an administrator changes them.

A part of the clearinghouse, which keeps the record; knows it by `ports` alone. Promises: no
schedule under which the venue would pay more than it gets. The rules of a schedule are in
`venue_protocol.fee_schedule`, what a trade costs in `clearinghouse.domain.fees`. Begin with `desk`.
"""
