"""The ways to a Postgres and a RabbitMQ, and what is said when one or all of them do not work."""

from venue_launcher.errors import VenueError

WAYS = ("given", "local", "private", "download")
"""In the order they are tried."""
OWN_WAYS = ("private", "download")
"""Those that start servers which nobody else uses."""


class Unavailable(VenueError):
    """One way does not work here; the message says why. The next way may."""


class InfrastructureError(VenueError):
    """No way works; the message says what to do."""


NO_WAY = """no {server} for the venue was found:
{reasons}
any one of these three helps:
  sudo apt-get install -y postgresql rabbitmq-server
      (servers installed here; the venue starts private ones)
  ./venue up --infrastructure download
      (unpacks its own copies; needs the network)
  export VENUE_POSTGRES_URL=postgresql://USER:PASSWORD@HOST/postgres
  export VENUE_BROKER_URL=amqp://USER:PASSWORD@HOST/VHOST
      (servers that run elsewhere)"""


def no_way(server: str, reasons: dict[str, str]) -> InfrastructureError:
    """The error that lists each way tried, why it failed, and the three commands that help."""
    lines = "\n".join(f"  {way + ':':<10} {reason}" for way, reason in reasons.items())
    return InfrastructureError(NO_WAY.format(server=server, reasons=lines))
