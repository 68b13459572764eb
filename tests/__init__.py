"""The tests, in folders by what they cost; CONTRIBUTING.md says which needs what."""
