import json
from pathlib import Path

from tests.contract.hosts import Host, eventually, running, write_app

APP = """
    @app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%")
    async def tick(timer: func.TimerRequest) -> None:
        print(json.dumps({"what": "began", "past_due": timer.past_due, "status": timer.schedule_status,
                          "at": time.time()}))
        await asyncio.sleep(float(os.environ.get("TAKES", "0")))
        print(json.dumps({"what": "ended"}))
"""
AT_START = """
    @app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%", run_on_startup=True, use_monitor=False)
    async def look(timer: func.TimerRequest) -> None:
        print(json.dumps({"what": "began", "past_due": timer.past_due}))
"""
YEARLY = "0 0 0 1 1 *"
DAY = 86400


def jump(host: Host, seconds: float) -> None:
    (host.log.parent / "clock-offset").write_text(str(seconds))


def began(host: Host) -> list[dict[str, object]]:
    return [line for line in host.printed() if line["what"] == "began"]


def test_a_timer_fires_on_its_schedule(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP), SCHEDULE="* * * * * *") as host:
        eventually(lambda: len(began(host)) >= 2)
        assert [run["past_due"] for run in began(host)][:2] == [False, False]
        assert began(host)[0]["status"] == {}


def test_a_jump_of_the_clock_over_many_due_times_fires_once_and_past_due(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP), SCHEDULE=YEARLY) as host:
        assert began(host) == []
        jump(host, 900 * DAY)
        eventually(lambda: began(host))
        eventually(lambda: json.loads((tmp_path / "state/timers/tick.json").read_text())["Last"] > "2027")
        (run,) = began(host)
        assert run["past_due"] is True
        assert run["status"].keys() == {"Last", "Next", "LastUpdated"}  # type: ignore[attr-defined]


def test_a_jump_during_a_run_is_followed_by_a_past_due_run(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP), SCHEDULE=YEARLY, TAKES="0.5") as host:
        jump(host, 400 * DAY)
        eventually(lambda: began(host))
        jump(host, 900 * DAY)
        eventually(lambda: len(began(host)) == 2)
        assert began(host)[1]["past_due"] is True


def test_a_run_never_overlaps_the_next_and_what_fell_due_meanwhile_is_skipped(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP), SCHEDULE="* * * * * *", TAKES="1.5") as host:
        eventually(lambda: len(began(host)) == 3)
        assert [line["what"] for line in host.printed()][:4] == ["began", "ended", "began", "ended"]
        assert not any(run["past_due"] for run in began(host))


def test_a_run_that_was_missed_while_the_host_was_down_is_made_up_for(tmp_path: Path) -> None:
    app = write_app(tmp_path, APP)
    with running(app, SCHEDULE=YEARLY) as host:
        host.process.kill()
        host.process.wait()
    jump(host, 400 * DAY)
    with running(app, SCHEDULE=YEARLY) as host:
        eventually(lambda: began(host))
        assert began(host)[0]["past_due"] is True


def test_sigterm_lets_a_running_timer_finish(tmp_path: Path) -> None:
    with running(write_app(tmp_path, APP), SCHEDULE="* * * * * *", TAKES="1") as host:
        eventually(lambda: began(host))
        assert host.stop() == 0
        assert host.printed()[-1]["what"] == "ended"
        assert len(began(host)) == 1


def test_a_timer_that_asks_for_it_runs_at_every_start_and_then_by_its_schedule(tmp_path: Path) -> None:
    app = write_app(tmp_path, AT_START)
    for _ in range(2):
        with running(app, SCHEDULE=YEARLY) as host:
            eventually(lambda: began(host))
            assert [run["past_due"] for run in began(host)] == [False]
            assert host.stop() == 0
