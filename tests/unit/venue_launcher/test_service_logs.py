"""Logs are rotated under a writer that keeps them open, and read from their end."""

from pathlib import Path

from venue_launcher import service_logs


def test_a_writer_goes_on_in_the_emptied_file(tmp_path: Path) -> None:
    log = tmp_path / "feed.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)
        service_logs.rotate(log, max_bytes=100)
        writer.write(b"new line\n")
    assert log.read_bytes() == b"new line\n"
    assert (tmp_path / "feed.log.1").read_bytes() == b"x" * 200


def test_a_small_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "feed.log"
    log.write_bytes(b"x" * 100)
    service_logs.rotate(log, max_bytes=100)
    assert [path.name for path in tmp_path.iterdir()] == ["feed.log"]


def test_only_the_newest_rotations_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "feed.log"
    for number in range(service_logs.KEPT + 3):
        log.write_text(str(number) * 10)
        service_logs.rotate(log, max_bytes=5)
    assert len(list(tmp_path.glob("feed.log.*"))) == service_logs.KEPT
    assert (tmp_path / "feed.log.1").read_text().startswith(str(service_logs.KEPT + 2))


def test_tail_gives_the_last_lines_and_nothing_for_a_missing_log(tmp_path: Path) -> None:
    log = tmp_path / "feed.log"
    log.write_text("\n".join(map(str, range(100))))
    assert service_logs.tail(log, 2) == "98\n99"
    assert service_logs.tail(tmp_path / "missing.log") == ""
