//! Times as programs write them: where they stand in a text, and which instant they mean.
//!
//! A time is known by its form alone: RFC 3339 and its relatives (`2026-11-20 10:00:00.5+01:00`), the
//! basic form (`20261120T100000Z`), that of HTTP, cookies and mail (`Fri, 20 Nov 2026 10:00:00 GMT`), and
//! seconds, milliseconds, microseconds or nanoseconds since 1970 by their number of digits. Whether two
//! of them may differ is the work of [`crate::Times`].

use std::ops::Range;

pub(crate) const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// How a time is written. Two that are written differently are never taken for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    style: Style,
    /// Whether a part of a second is written. How many digits it has may be chance: some libraries
    /// leave out zeros at the end.
    fraction: bool,
    zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Style {
    Day,
    /// With what stands between day and time, and whether there are seconds.
    Iso(u8, bool),
    Basic,
    /// With what stands between day, month and year.
    Mail(u8),
    Epoch(Unit),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Zone {
    Unsaid,
    Utc,
    /// Minutes to the east.
    Offset(i16),
}

/// A time in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) range: Range<usize>,
    /// Nanoseconds since 1970; of one without a zone, as if it were in UTC.
    pub(crate) at: i128,
    /// How long the time is that is written so, in nanoseconds: a second, a day.
    pub(crate) lasts: i128,
    pub(crate) form: Form,
}

impl Written {
    /// Whether it says where on earth it is so late.
    pub(crate) fn is_zoned(&self) -> bool {
        self.form.zone != Zone::Unsaid
    }

    /// Whether it is a plain number, which may mean something else.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.form.style, Style::Epoch(_))
    }
}

/// The times in a text, in order, each a word of its own.
pub(crate) fn instants(text: &str) -> Vec<Written> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while bytes.len() - at >= "1732180000".len() {
        let starts = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let next = match bytes[at] {
            b'0'..=b'9' if starts => numeric(bytes, at),
            b'A'..=b'Z' if starts => mail(bytes, at),
            _ => None,
        };
        match next {
            Some(instant) => {
                at = instant.range.end;
                found.push(instant);
            }
            None => at += 1,
        }
    }
    found
}

/// The time that a whole text, such as the spelling of a number, is.
pub(crate) fn whole(text: &str) -> Option<Written> {
    let bytes = text.as_bytes();
    bytes.first().filter(|byte| byte.is_ascii_digit())?;
    numeric(bytes, 0).filter(|instant| instant.range.end == bytes.len())
}

fn numeric(bytes: &[u8], at: usize) -> Option<Written> {
    let digits = bytes[at..].iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let preceded = at > 0 && matches!(bytes[at - 1], b'.' | b'-' | b'+');
    let mut reader = Reader { bytes, at };
    let read = match digits {
        4 => reader.iso(),
        8 => reader.basic(),
        10 | 13 | 16 | 19 if !preceded => reader.epoch(digits),
        _ => None,
    };
    let (instant, lasts, form) = read?;
    let end = reader.at;
    let more = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let goes_on = matches!(bytes.get(end..end + 2), Some([b'.' | b'-', b'0'..=b'9']));
    (!more && !goes_on).then_some(Written { range: at..end, at: instant, lasts, form })
}

fn mail(bytes: &[u8], at: usize) -> Option<Written> {
    let mut reader = Reader { bytes, at };
    let (instant, lasts, form) = reader.mail()?;
    let more = bytes.get(reader.at).is_some_and(u8::is_ascii_alphanumeric);
    (!more).then_some(Written { range: at..reader.at, at: instant, lasts, form })
}

type Read = (i128, i128, Form);
/// The time since midnight, how long it lasts, whether it has seconds and a part of one.
type OfDay = (i128, i128, bool, bool);

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, one: u8) -> Option<()> {
        (self.peek() == Some(one)).then(|| self.at += 1)
    }

    /// A number of exactly so many digits, within bounds.
    fn number(&mut self, digits: usize, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let text = self.bytes.get(self.at..self.at + digits)?;
        if !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.at += digits;
        let number = text.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        bounds.contains(&number).then_some(number)
    }

    fn iso(&mut self) -> Option<Read> {
        let year = self.number(4, 1000..=9999)?;
        self.skip(b'-')?;
        let month = self.number(2, 1..=12)?;
        self.skip(b'-')?;
        let day = self.number(2, 1..=31)?;
        let midnight = day_of(year, month, day)? * DAY;
        let after_day = self.at;
        if let Some((between, time)) = self.time_after_day() {
            let (since, lasts, seconds, fraction) = time;
            let (zone, east) = self.zone();
            let form = Form { style: Style::Iso(between, seconds), fraction, zone };
            return Some((midnight + since - east, lasts, form));
        }
        self.at = after_day;
        let form = Form { style: Style::Day, fraction: false, zone: Zone::Unsaid };
        Some((midnight, DAY, form))
    }

    /// What stands before the time, and the time.
    fn time_after_day(&mut self) -> Option<(u8, OfDay)> {
        let between = self.peek().filter(|byte| matches!(byte, b'T' | b't' | b' ' | b'_'))?;
        self.at += 1;
        let hour = self.number(2, 0..=23)?;
        self.skip(b':')?;
        let minute = self.number(2, 0..=59)?;
        let whole = i128::from(hour * 3600 + minute * 60) * SECOND;
        let before = self.at;
        if self.skip(b':').is_none() {
            return Some((between, (whole, 60 * SECOND, false, false)));
        }
        let Some(second) = self.number(2, 0..=60) else {
            self.at = before;
            return None;
        };
        let (part, lasts) = self.fraction();
        let since = whole + i128::from(second) * SECOND + part;
        Some((between, (since, lasts, true, lasts < SECOND)))
    }

    /// The part of a second after a point, and how long what is written so lasts.
    fn fraction(&mut self) -> (i128, i128) {
        let digits = match self.peek() {
            Some(b'.' | b',') => {
                let rest = &self.bytes[self.at + 1..];
                rest.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count()
            }
            _ => 0,
        };
        let (mut part, mut lasts) = (0, SECOND);
        let text = &self.bytes[self.at..];
        for digit in text.iter().skip(1).take(digits.min(9)) {
            lasts /= 10;
            part += i128::from(digit - b'0') * lasts;
        }
        self.at += if digits > 0 { digits + 1 } else { 0 };
        (part, lasts)
    }

    /// The zone and the nanoseconds by which it is to the east.
    fn zone(&mut self) -> (Zone, i128) {
        let start = self.at;
        if self.skip(b' ').is_some() && self.bytes[self.at..].starts_with(b"UTC") {
            self.at += 3;
            return (Zone::Utc, 0);
        }
        if matches!(self.peek(), Some(b'Z' | b'z')) && self.at == start {
            self.at += 1;
            return (Zone::Utc, 0);
        }
        match self.offset() {
            Some(minutes) => (Zone::Offset(minutes), i128::from(minutes) * 60 * SECOND),
            None => {
                self.at = start;
                (Zone::Unsaid, 0)
            }
        }
    }

    /// `+01:00`, `+0100`, `+01`, in minutes.
    fn offset(&mut self) -> Option<i16> {
        let sign = match self.peek()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.at += 1;
        let hours = self.number(2, 0..=15)?;
        let before = self.at;
        let _ = self.skip(b':');
        let minutes = self.number(2, 0..=59).unwrap_or_else(|| {
            self.at = before;
            0
        });
        i16::try_from(sign * (hours * 60 + minutes)).ok()
    }

    fn basic(&mut self) -> Option<Read> {
        let (year, month) = (self.number(4, 1000..=9999)?, self.number(2, 1..=12)?);
        let day = day_of(year, month, self.number(2, 1..=31)?)?;
        self.skip(b'T')?;
        let (hour, minute) = (self.number(2, 0..=23)?, self.number(2, 0..=59)?);
        let second = self.number(2, 0..=60)?;
        let since = i128::from(hour * 3600 + minute * 60 + second) * SECOND;
        let (part, lasts) = self.fraction();
        let (zone, east) = self.zone();
        let form = Form { style: Style::Basic, fraction: lasts < SECOND, zone };
        Some((day * DAY + since + part - east, lasts, form))
    }

    /// `Fri, 20 Nov 2026 10:00:00 GMT`, also with hyphens or `+0100`.
    fn mail(&mut self) -> Option<Read> {
        const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        const MONTHS: [&[u8]; 12] = [
            b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
            b"Dec",
        ];
        let name = self.bytes.get(self.at..self.at + 3)?;
        DAYS.contains(&name).then_some(())?;
        self.at += 3;
        self.skip(b',')?;
        self.skip(b' ')?;
        let day = self.number(2, 1..=31).or_else(|| self.number(1, 1..=9))?;
        let between = self.peek().filter(|byte| matches!(byte, b' ' | b'-'))?;
        self.at += 1;
        let name = self.bytes.get(self.at..self.at + 3)?;
        let month = MONTHS.iter().position(|month| *month == name)?;
        self.at += 3;
        self.skip(between)?;
        let year = self.number(4, 1000..=9999)?;
        let day = day_of(year, i64::try_from(month + 1).ok()?, day)?;
        self.skip(b' ')?;
        let hour = self.number(2, 0..=23)?;
        self.skip(b':')?;
        let minute = self.number(2, 0..=59)?;
        self.skip(b':')?;
        let since = i128::from(hour * 3600 + minute * 60 + self.number(2, 0..=60)?) * SECOND;
        self.skip(b' ')?;
        let (zone, east) = match self.bytes.get(self.at..self.at + 3) {
            Some(b"GMT" | b"UTC") => {
                self.at += 3;
                (Zone::Utc, 0)
            }
            _ => self.zone(),
        };
        let form = Form { style: Style::Mail(between), fraction: false, zone };
        (zone != Zone::Unsaid).then_some((day * DAY + since - east, SECOND, form))
    }

    fn epoch(&mut self, digits: usize) -> Option<Read> {
        let (unit, lasts) = match digits {
            10 => (Unit::Seconds, SECOND),
            13 => (Unit::Milliseconds, 1_000_000),
            16 => (Unit::Microseconds, 1000),
            _ => (Unit::Nanoseconds, 1),
        };
        let number = self.number(digits, 1..=i64::MAX)?;
        let (part, part_lasts) = self.fraction();
        let in_unit = |nanoseconds: i128| nanoseconds * lasts / SECOND;
        let fraction = part_lasts < SECOND;
        let form = Form { style: Style::Epoch(unit), fraction, zone: Zone::Utc };
        Some((i128::from(number) * lasts + in_unit(part), in_unit(part_lasts).max(1), form))
    }
}

/// The days from 1970 to a day of the Gregorian calendar, if there is such a day.
fn day_of(year: i64, month: i64, day: i64) -> Option<i128> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    // Years begin in March, so that the day that is not in all years is the last one.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (day <= longest).then_some(i128::from(era * 146_097 + of_era - 719_468))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found, as milliseconds since 1970.
    #[track_caller]
    fn check(text: &str, expected: &[(&str, i128)]) {
        let found: Vec<_> = instants(text)
            .into_iter()
            .map(|found| (&text[found.range], found.at / 1_000_000))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn times_are_known_by_their_form() {
        for text in [
            "2026-11-20T10:00:00Z",
            "2026-11-20T11:00:00+01:00",
            "2026-11-20 10:00:00",
            "2026-11-20 10:00:00.000000+00",
            "2026-11-20 10:00:00 +0000",
            "2026-11-20 10:00:00 UTC",
            "2026-11-20T10:00",
            "20261120T100000Z",
            "Fri, 20 Nov 2026 10:00:00 GMT",
            "Fri, 20-Nov-2026 10:00:00 GMT",
            "Fri, 20 Nov 2026 05:00:00 -0500",
            "1795168800",
            "1795168800000",
            "1795168800000000",
            "1795168800000000000",
        ] {
            check(text, &[(text, 1_795_168_800_000)]);
        }
        check("2026-11-20", &[("2026-11-20", 1_795_132_800_000)]);
        check("2000-02-29T23:59:60.5Z", &[("2000-02-29T23:59:60.5Z", 951_868_800_500)]);
        check("1795168800.25", &[("1795168800.25", 1_795_168_800_250)]);
        check("t=1795168800,v1=ab", &[("1795168800", 1_795_168_800_000)]);
        let both = "from '1970-01-01 00:00:01' to '1970-01-01 00:00:02'";
        check(both, &[("1970-01-01 00:00:01", 1000), ("1970-01-01 00:00:02", 2000)]);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "",
            "17951688001",
            "-1795168800",
            "1.1795168800",
            "x1795168800",
            "2026-13-20T10:00:00Z",
            "2026-02-30 10:00:00",
            "2026-11-20-1",
            "12026-11-20T10:00:00Z",
            "Fri, 20 Nov 2026 10:00:00",
            "Foo, 20 Nov 2026 10:00:00 GMT",
            "20261120",
            "4111111111111111111111",
            "1795168800-1",
        ] {
            check(text, &[]);
        }
    }
}
