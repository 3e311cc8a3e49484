"""The routes from New York as a map: straight lines in their true directions, the farther the longer.

It needs more than a query: an azimuthal projection from New York, in which great circles are straight lines.
"""

from __future__ import annotations

import json
import math
import os
import sys
from html import escape
from pathlib import Path
from typing import NamedTuple

import duckdb

NEW_YORK = (40.69, -73.97)
EARTH_MILES = 3_958.8
RINGS = (250, 500, 1_000, 2_000, 3_000, 5_000)
SCALE = 6.6  # units for the square root of a mile, so that near places do not lie on one another
WIDTH, HEIGHT = 23.0, 10.0  # of a code on the map
COLOURS = ((5.0, "#3a9a68"), (10.0, "#2f6fb2"), (15.0, "#e0a33b"), (math.inf, "#b5475c"))

ROUTES = """
    SELECT
        dest, airports.name, any_value(lat), any_value(lon), count(*), any_value(miles),
        coalesce(avg(arrival_delay), 0), 100.0 * count(*) FILTER (outcome = 'cancelled') / count(*)
    FROM flights JOIN airports ON airport = dest
    WHERE $airline = 'all' OR carrier = $airline
    GROUP BY dest, airports.name
    ORDER BY count(*) DESC, dest
"""

STYLE = """
:root{color-scheme:light;--ink:#1f2933;--pale:#616e7c;--rule:#dfe4ea;--head:#e8edf3}
body{margin:0 auto;padding:2rem 1.5rem;max-width:64rem;color:var(--ink);background:#fff;
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{margin:0 0 .3rem;font-size:1.6rem}header p{margin:.15rem 0;color:var(--pale)}
svg{display:block;width:100%;height:auto;margin:1rem 0}svg text{font-family:inherit;fill:var(--ink)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.32rem .6rem;text-align:left}td{border-bottom:1px solid var(--rule)}th{background:var(--head)}
.n{text-align:right}.name{paint-order:stroke;stroke:#fff;stroke-width:2.5;stroke-opacity:.8}
"""


class Route(NamedTuple):
    """One destination, its flights in the year, and how they fared."""

    code: str
    name: str
    latitude: float
    longitude: float
    flights: int
    miles: int
    delay: float
    cancelled: float


class Spot(NamedTuple):
    """A destination on the map."""

    route: Route
    x: float
    y: float
    radius: float


class Edges(NamedTuple):
    """Where the map ends."""

    left: float
    top: float
    right: float
    bottom: float


def main() -> None:
    """Read the order, query the flights, write the map."""
    order = json.load(sys.stdin)
    airline, labels = order["parameters"]["airline"], order["parameters"]["labels"]
    with duckdb.connect(os.environ["FLIGHTS"], read_only=True, config={"threads": 1}) as database:
        routes = [Route(*row) for row in database.execute(ROUTES, {"airline": airline}).fetchall()]
    if not routes:
        sys.exit(f"no flights of airline {airline!r}")
    Path(order["output"]).write_text(page(routes, airline, labels, order["requested_at"]))


def page(routes: list[Route], airline: str, labels: int, requested_at: str) -> str:
    """The whole document."""
    title = "Routes from New York" + ("" if airline == "all" else f" with {escape(airline)}")
    to = "1 destination" if len(routes) == 1 else f"{len(routes)} destinations"
    lead = (
        f"{to}, {sum(route.flights for route in routes):,} flights in 2013. Every route lies in its true "
        "direction, and the rings say how far it goes; a circle's area is its number of flights, its colour "
        "the mean delay at arrival."
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<header><h1>{title}</h1>\n<p>{lead}</p>\n"
        f"<p>As of {requested_at[:16].replace('T', ' ')} UTC</p></header>\n"
        f"{drawing(routes, labels)}\n{table(routes[:labels])}\n</body>\n</html>\n"
    )


def drawing(routes: list[Route], labels: int) -> str:
    """The map: rings of distance, the routes, their destinations, and the names of the first ones."""
    most = max(route.flights for route in routes)
    spots = [Spot(route, *place(route.latitude, route.longitude), size(route, most)) for route in routes]
    edges = Edges(
        min([-180, *(spot.x for spot in spots)]) - 60,
        min([-100, *(spot.y for spot in spots)]) - 40,
        max([180, *(spot.x for spot in spots)]) + 60,
        max([100, *(spot.y for spot in spots)]) + 60,
    )
    names = Names()
    parts = [ring(miles, edges) for miles in RINGS]
    parts += [line(spot, most) for spot in reversed(spots)]
    parts += [circle(spot) for spot in reversed(spots)]
    parts.append('<circle r="5" fill="#1f2933"/>')
    parts.append('<text x="8" y="-6" font-size="12" font-weight="600">New York</text>')
    parts += [names.beside(spot) for spot in spots[:labels]]
    box = f"{edges.left:.0f} {edges.top:.0f} {edges.right - edges.left:.0f} {edges.bottom - edges.top:.0f}"
    return f'<svg viewBox="{box}" role="img" aria-label="Map">{"".join(parts)}{legend(edges)}</svg>'


def ring(miles: int, edges: Edges) -> str:
    """A ring with its distance, below New York, or to its left where the map ends before that."""
    radius = SCALE * math.sqrt(miles)
    if radius >= max(-edges.left, edges.right, -edges.top, edges.bottom):
        return ""
    x, y = (0.0, radius) if radius < edges.bottom - 40 else (-radius, 0.0)
    name = f'<text x="{x:.1f}" y="{y - 3:.1f}" font-size="9" text-anchor="middle">{miles:,} mi</text>'
    return f'<circle r="{radius:.1f}" fill="none" stroke="#dfe4ea"/>' + (name if x >= edges.left + 20 else "")


def line(spot: Spot, most: int) -> str:
    """A route."""
    return (
        f'<line x2="{spot.x:.1f}" y2="{spot.y:.1f}" stroke="{colour(spot.route.delay)}" stroke-opacity=".35" '
        f'stroke-width="{0.5 + 3 * spot.route.flights / most:.2f}"/>'
    )


def circle(spot: Spot) -> str:
    """A destination."""
    return (
        f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="{spot.radius:.1f}" fill-opacity=".8" '
        f'fill="{colour(spot.route.delay)}">'
        f"<title>{escape(spot.route.name)}: {spot.route.flights:,} flights</title></circle>"
    )


class Names:
    """Names beside circles, each where no other one stands yet; where there is no such place, none."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float]] = []

    def beside(self, spot: Spot) -> str:
        """The code of a destination."""
        name, x, y, away = spot.route.code, spot.x, spot.y, spot.radius + 2
        for left, base in (
            (x + away, y + 3.5),
            (x - away - WIDTH, y + 3.5),
            (x - WIDTH / 2, y + away + 8),
            (x - WIDTH / 2, y - away),
        ):
            if all(abs(left - other) >= WIDTH or abs(base - line) >= HEIGHT for other, line in self._taken):
                self._taken.append((left, base))
                return (
                    f'<text class="name" x="{left:.1f}" y="{base:.1f}" font-size="10">{escape(name)}</text>'
                )
        return ""


def legend(edges: Edges) -> str:
    """What the colours mean."""
    parts = []
    least = "under"
    for number, (limit, fill) in enumerate(COLOURS):
        x, y = edges.left + 10 + 110 * number, edges.bottom - 14
        words = f"{least} {limit:.0f} min late" if limit < math.inf else "later"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}"/>'
            f'<text x="{x + 9:.1f}" y="{y + 3.5:.1f}" font-size="10">{words}</text>'
        )
        least = f"{limit:.0f} to"
    return "".join(parts)


def table(routes: list[Route]) -> str:
    """The destinations that are named on the map."""
    rows = "".join(
        f"<tr><td>{escape(route.code)}</td><td>{escape(route.name)}</td>"
        f'<td class="n">{route.flights:,}</td><td class="n">{route.miles:,}</td>'
        f'<td class="n">{route.delay:.1f}</td><td class="n">{route.cancelled:.1f}</td></tr>\n'
        for route in routes
    )
    heads = ("Miles", "Arrives late, min", "Cancelled, %")
    return (
        '<table>\n<thead><tr><th>Code</th><th>Destination</th><th class="n">Flights</th>'
        + "".join(f'<th class="n">{head}</th>' for head in heads)
        + f"</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"
    )


def place(latitude: float, longitude: float) -> tuple[float, float]:
    """Where a place is drawn: its bearing from New York is true, its distance as its square root."""
    here_lat, here_lon = map(math.radians, NEW_YORK)
    lat, lon = math.radians(latitude), math.radians(longitude)
    east = lon - here_lon
    cosine = math.sin(here_lat) * math.sin(lat) + math.cos(here_lat) * math.cos(lat) * math.cos(east)
    distance = SCALE * math.sqrt(EARTH_MILES * math.acos(max(-1.0, min(1.0, cosine))))
    bearing = math.atan2(
        math.sin(east) * math.cos(lat),
        math.cos(here_lat) * math.sin(lat) - math.sin(here_lat) * math.cos(lat) * math.cos(east),
    )
    return distance * math.sin(bearing), -distance * math.cos(bearing)


def size(route: Route, most: int) -> float:
    """The radius of a destination."""
    return 2.0 + 12.0 * math.sqrt(route.flights / most)


def colour(delay: float) -> str:
    """The colour of a mean delay in minutes."""
    return next(fill for limit, fill in COLOURS if delay < limit)


if __name__ == "__main__":
    main()
