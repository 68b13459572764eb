"""What a subscriber's actions cost, and that one payer's debt is nobody else's."""

from market_data_feed.domain.stream_budget import BudgetLimits, StreamBudget, snapshot_cost

LIMITS = BudgetLimits(per_second=10, most_saved=20, longest_wait_s=5)


def test_a_payer_pays_from_what_it_saved_and_then_waits() -> None:
    budget = StreamBudget(LIMITS)
    assert [budget.charge("ann", 10, 0) for _ in range(4)] == [0, 0, 1, 2]
    assert budget.charge("ann", 1, 2) == 0.1


def test_the_debt_of_one_is_not_the_debt_of_another() -> None:
    budget = StreamBudget(LIMITS)
    assert budget.charge("ann", 1_000, 0) > 90
    assert budget.charge("bob", 1, 0) == 0


def test_resubscribing_to_a_deep_book_50_times_a_second_is_heard_twice_a_second() -> None:
    budget, now_s, heard = StreamBudget(), 0.0, 0
    while now_s < 60:
        wait_s = budget.charge("stranger", 1 + snapshot_cost(10_000), now_s)
        heard += 1
        now_s += max(wait_s, 0.02)
    assert 230 < heard < 250, "96 from what was saved, then one each 0.42 s"


def test_accounts_of_strangers_that_are_gone_are_forgotten() -> None:
    budget = StreamBudget(LIMITS)
    for number in range(50_000):
        budget.charge(f"address {number}", 1, number * 0.01)
    assert len(budget._accounts) <= 2_048
