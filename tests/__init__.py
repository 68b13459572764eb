"""The tests, by what they cost: unit, contract, integration, acceptance, simulation, architecture."""
