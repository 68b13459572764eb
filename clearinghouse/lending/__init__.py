"""Stock loans: borrowing, margin, close-outs. Rules are in `domain`, tables behind ports."""
