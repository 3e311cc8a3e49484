"""The hundred requests: who asks for which report of which days, in what format, and where it is to go."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final

from reportbus.entry.demo.asked import Asked, folder, mail, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTNER: Final = "partner"
"""The destination that is broken at first."""

_STATIONS: Final = ("EWR", "JFK", "LGA")
_ROUGH_DAYS: Final = ("2013-02-08", "2013-03-08", "2013-05-23", "2013-07-01", "2013-09-12", "2013-12-05")
_AIRLINES: Final = (
    "9E",
    "AA",
    "AS",
    "B6",
    "DL",
    "EV",
    "F9",
    "FL",
    "HA",
    "MQ",
    "OO",
    "UA",
    "US",
    "VX",
    "WN",
    "YV",
)
_MONTHS: Final = (
    ("01-01", "01-31"), ("02-01", "02-28"), ("03-01", "03-31"), ("04-01", "04-30"), ("05-01", "05-31"),
    ("06-01", "06-30"), ("07-01", "07-31"), ("08-01", "08-31"), ("09-01", "09-30"), ("10-01", "10-31"),
    ("11-01", "11-30"), ("12-01", "12-31"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asking:
    """Some requests: among them, at these positions, the one to the partner and the one that is no good."""

    requests: tuple[Asked, ...]
    to_partner: int
    no_good: int


def asking(number: int) -> Asking:
    """So many requests, of every kind some."""
    kinds = (
        _station_days(), _route_maps(), _punctuality(), _departures(), _routes(), _logs(), _extracts(),
        _late_departures(), _fleet(), _weather(), _months(),
    )  # fmt: skip
    mixed = [asked for asked in chain.from_iterable(zip_longest(*kinds)) if asked is not None]
    chosen = mixed[: number - 2]
    to_partner, no_good = number // 6, number // 3
    chosen.insert(to_partner, _to_partner())
    chosen.insert(no_good, _no_good())
    return Asking(tuple(chosen), to_partner, no_good)


def _to_partner() -> Asked:
    """A report for three places; at one of them nobody is at home."""
    return Asked(
        "delays_by_month",
        "PDF",
        {"airline": "AA"},
        "delays_{{ airline }}_2013.pdf",
        "partner-desk",
        3,
        (
            folder("partners/AA"),
            {"type": "NAS", "destination": PARTNER, "path": "incoming"},
            mail("quality@partner.example", "Your delays in 2013", "Attached are the delays of the year."),
        ),
        notify=(tell("partner-desk"),),
    )


def _no_good() -> Asked:
    """A request as people type it: no such day, no such airport, no such parameter."""
    return Asked(
        "airline_punctuality",
        "PDF",
        {"from": "2013-02-01", "to_day": "2013-02-30", "origins": ["EWR", "NYC"]},
        "punctuality.pdf",
        "management",
        2,
        (folder("management"),),
        notify=(tell("management"),),
    )


def _station_days() -> Iterator[Asked]:
    for day in _ROUGH_DAYS:
        for station in _STATIONS:
            yield Asked(
                "station_day",
                "PDF",
                {"station": station, "day": day},
                "{{ report }}_{{ day }}.pdf",
                f"station-{station.lower()}",
                2,
                (folder(f"stations/{station}"),),
            )


def _departures() -> Iterator[Asked]:
    for day in _ROUGH_DAYS[:4]:
        for station in _STATIONS:
            yield Asked(
                "departures",
                "XLSX",
                {"station": station, "day": day},
                "{{ report }}_{{ day }}.xlsx",
                f"station-{station.lower()}",
                4,
                (folder(f"stations/{station}"),),
            )


def _late_departures() -> Iterator[Asked]:
    for station in _STATIONS:
        by = f"station-{station.lower()}"
        yield Asked(
            "departures",
            "HTML",
            {"station": station, "day": "2013-12-05", "late_only": True},
            "late_{{ station }}_{{ day }}.html",
            by,
            1,
            (
                folder(f"stations/{station}"),
                mail(
                    f"duty.{station.lower()}@airports.example", "Late departures of {{ day }}, {{ station }}"
                ),
            ),
            notify=(tell(by, "FAILED"),),
        )


def _punctuality() -> Iterator[Asked]:
    for first, last in _MONTHS:
        yield Asked(
            "airline_punctuality",
            "PDF",
            {"from_day": f"2013-{first}", "to_day": f"2013-{last}"},
            'punctuality_{{ from_day | date("%Y-%m") }}.pdf',
            "management",
            3,
            (
                folder("management/punctuality"),
                mail(
                    "board@airports.example",
                    'Airline punctuality, {{ from_day | date("%Y-%m") }}',
                    "Good morning,\nattached is the month's punctuality.",
                ),
            ),
            notify=(tell("management"),),
        )


def _logs() -> Iterator[Asked]:
    for airline in (*_AIRLINES, "all"):
        yield _log("PARQUET", airline, 8)


def _extracts() -> Iterator[Asked]:
    for format_, airline in (
        ("JSONL", "AS"), ("CSV", "AA"), ("JSONL", "HA"), ("CSV", "B6"),
        ("JSONL", "VX"), ("CSV", "DL"), ("CSV", "UA"), ("CSV", "WN"),
    ):  # fmt: skip
        yield _log(format_, airline, 9)


def _log(format_: str, airline: str, priority: int) -> Asked:
    extension = format_.lower()
    return Asked(
        "flight_log",
        format_,
        {"airline": airline},
        f"flights_{{{{ airline }}}}.{extension}",
        "data-warehouse",
        priority,
        (folder(f"warehouse/{extension}"),),
    )


def _months() -> Iterator[Asked]:
    for airline in ("B6", "DL", "EV", "UA", "US", "WN"):
        yield Asked(
            "delays_by_month",
            "HTML",
            {"airline": airline},
            "delays_{{ airline }}.html",
            "website",
            6,
            (folder("website/airlines"),),
        )
    yield Asked("delays_by_month", "XLSX", {}, "delays_2013.xlsx", "management", 5, (folder("management"),))


def _routes() -> Iterator[Asked]:
    for format_ in ("CSV", "PDF"):
        for station in _STATIONS:
            yield Asked(
                "busiest_routes",
                format_,
                {"origins": [station]},
                f"routes_{station}.{format_.lower()}",
                "network-planning",
                6,
                (folder("planning/routes"),),
            )
    yield Asked(
        "busiest_routes",
        "XLSX",
        {"top": 200},
        "routes.xlsx",
        "network-planning",
        5,
        (folder("planning/routes"),),
    )


def _fleet() -> Iterator[Asked]:
    for format_ in ("XLSX", "PDF", "CSV"):
        yield Asked(
            "fleet",
            format_,
            {"least_aircraft": 10 if format_ == "PDF" else 1},
            f"fleet_2013.{format_.lower()}",
            "engineering",
            7,
            table=(("NAS", "nas://delivered/engineering"), ("EMAIL", "fleet@airports.example")),
        )


def _weather() -> Iterator[Asked]:
    for format_ in ("PDF", "HTML"):
        for measure in ("wind", "rain", "visibility"):
            yield Asked(
                "weather_and_delays",
                format_,
                {"measure": measure},
                f"delays_by_{{{{ measure }}}}.{format_.lower()}",
                "operations",
                5,
                (folder("operations/weather"),),
            )


def _route_maps() -> Iterator[Asked]:
    for airline in ("all", "B6", "DL", "EV", "UA"):
        yield Asked(
            "route_map",
            "HTML",
            {"airline": airline, "labels": 20},
            "{{ report }}_{{ airline }}.html",
            "website",
            4,
            (folder("website/maps"),),
        )
