"""What a call auction has collected at each price, kept so that its price is found quickly.

An auction may hold tens of thousands of crossed levels, and its indication may change with each
order. So the levels stand in short blocks with sums. A change costs one block; the price costs a
walk over the sums, and the rules of `auction.price_of` among the few levels at which the bids and
the offers balance. Elsewhere no price can be the best: what is bid falls with the price and what is
offered rises, so fewer shares trade on both sides of the balance.
"""

from bisect import bisect_left

from matching_engine.domain.auction import AuctionLevel, AuctionPrice, price_of

_LONGEST_BLOCK = 64
"""Levels of a block before it is halved: with 20,000 levels the walk over the sums and the rules
inside the window cost about the same, 50 microseconds each."""
_NEIGHBORS = 4
"""Levels looked at on each side of the balance, at least: prices with equal sums may follow each
other as the last offer, the reference and the next bid."""


class _Block:
    """Some levels, lowest price first, and their sums."""

    __slots__ = ("asks", "bids", "levels", "prices")

    def __init__(self, levels: list[AuctionLevel]) -> None:
        self.levels = levels
        self.prices = [level.price_e4 for level in levels]
        self.bids = sum(level.bids for level in levels)
        self.asks = sum(level.asks for level in levels)


class AuctionLevels:
    """The levels of both sides of one book."""

    __slots__ = ("_blocks", "_lowest", "reference_e4")

    def __init__(self, reference_e4: int | None) -> None:
        self.reference_e4 = reference_e4
        self._blocks: list[_Block] = []
        self._lowest: list[int] = []
        """The lowest price of each block, when it was made."""
        if reference_e4 is not None:
            # The reference is a candidate although nothing may stand at it.
            self.add(reference_e4)

    def add(self, price_e4: int, bids: int = 0, asks: int = 0, limits: int = 0) -> None:
        """Add shares at a price; negative numbers take shares away."""
        number = self._block_of(price_e4)
        block = self._blocks[number]
        index = bisect_left(block.prices, price_e4)
        if index == len(block.prices) or block.prices[index] != price_e4:
            block.prices.insert(index, price_e4)
            block.levels.insert(index, AuctionLevel(price_e4))
        level = block.levels[index]
        level.bids += bids
        level.asks += asks
        level.limits += limits
        block.bids += bids
        block.asks += asks
        if level.is_empty() and price_e4 != self.reference_e4:
            del block.levels[index], block.prices[index]
        self._keep_size(number)

    def price(self) -> AuctionPrice | None:
        """What the auction would do with these levels; None if they do not cross."""
        first, bids, asks_below = self._balance()
        last = first
        levels = list(self._blocks[first].levels) if self._blocks else []
        below: list[AuctionLevel] = []
        while first > 0 and not self._are_enough(below):
            first -= 1
            bids += self._blocks[first].bids
            asks_below -= self._blocks[first].asks
            below[:0] = self._blocks[first].levels
        above: list[AuctionLevel] = []
        while last + 1 < len(self._blocks) and not self._are_enough(above):
            last += 1
            above += self._blocks[last].levels
        levels = below + levels + above
        bids_above = bids - sum(level.bids for level in levels)
        return price_of(levels, self.reference_e4, bids_above, asks_below)

    def _balance(self) -> tuple[int, int, int]:
        """The first block beyond which less is bid than offered; the bids in it and above it, and
        the offers below it.
        """
        bids, asks_below = sum(block.bids for block in self._blocks), 0
        for number, block in enumerate(self._blocks):
            if bids - block.bids < asks_below + block.asks or number + 1 == len(self._blocks):
                return number, bids, asks_below
            bids -= block.bids
            asks_below += block.asks
        return 0, 0, 0

    def _are_enough(self, levels: list[AuctionLevel]) -> bool:
        """Whether the levels on one side of the balance hold the best candidate of that side."""
        return len(levels) >= _NEIGHBORS and any(
            level.is_candidate(self.reference_e4) for level in levels
        )

    def _block_of(self, price_e4: int) -> int:
        if not self._blocks:
            self._blocks.append(_Block([]))
            self._lowest.append(price_e4)
        return max(bisect_left(self._lowest, price_e4 + 1) - 1, 0)

    def _keep_size(self, number: int) -> None:
        """Halve a block that is too long; drop one that is empty."""
        levels = self._blocks[number].levels
        if not levels:
            del self._blocks[number], self._lowest[number]
        elif len(levels) > _LONGEST_BLOCK:
            half = len(levels) // 2
            self._blocks[number : number + 1] = [_Block(levels[:half]), _Block(levels[half:])]
            self._lowest[number : number + 1] = [levels[0].price_e4, levels[half].price_e4]
