"""Tables of `market_data`. Owner of all: market_data_feed."""

from sqlalchemy import MetaData

metadata = MetaData()
