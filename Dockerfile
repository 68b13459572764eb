# One image for migrations, services and bots; compose.yaml says which command each runs.
FROM python:3.11-slim

RUN groupadd --gid 10001 venue && useradd --uid 10001 --gid venue --create-home venue \
    && install -d -o venue -g venue -m 0700 /var/lib/venue/keys /var/lib/venue/bots /var/lib/venue/engine
WORKDIR /opt/venue

COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

COPY clearinghouse clearinghouse
COPY market_data_feed market_data_feed
COPY matching_engine matching_engine
COPY migrations migrations
COPY order_entry_gateway order_entry_gateway
COPY service_runtime service_runtime
COPY trading_bots trading_bots
COPY venue_audit venue_audit
COPY venue_chaos venue_chaos
COPY venue_cli venue_cli
COPY venue_launcher venue_launcher
COPY venue_protocol venue_protocol
COPY venue_simulation venue_simulation
COPY venue_storage venue_storage
COPY client_enrollment client_enrollment
COPY trading_fees trading_fees
COPY venue_trials venue_trials
COPY venue_competition venue_competition

ENV PYTHONPATH=/opt/venue PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER venue
CMD ["python", "-m", "venue_cli", "--help"]
