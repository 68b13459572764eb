"""Pure rules of the feed: what events mean to orders, to owners and to the visible market."""
