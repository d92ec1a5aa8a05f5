//! UTC date-times: milliseconds since 1970, written as RFC 3339 for the years 1970 to 9999.

/// The first millisecond of the year 10000.
const TOO_LATE: i64 = 253_402_300_800_000;

const DAY: i64 = 86_400_000;

/// The text, when the moment has one.
pub(super) fn to_text(milliseconds: i64) -> Option<String> {
    if !(0..TOO_LATE).contains(&milliseconds) {
        return None;
    }
    let (year, month, day) = civil(milliseconds / DAY);
    let rest = milliseconds % DAY;
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if rest % 1000 != 0 {
        text.push_str(&format!(".{:03}", rest % 1000));
    }
    text.push('Z');
    Some(text)
}

/// The milliseconds of a text: `2024-05-06T07:08:09Z`, with up to three digits of a fraction, or an
/// offset such as `+02:00`.
pub(super) fn from_text(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = three(date, '-')?;
    let [hour, minute, second] = three(time, ':')?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let end = rest.find(|char: char| !char.is_ascii_digit())?;
            let digits = rest.get(..end).filter(|digits| (1..=3).contains(&digits.len()))?;
            (format!("{digits:0<3}").parse::<i64>().ok()?, &rest[end..])
        }
    };
    let minutes = (days * 24 + hour) * 60 + minute - offset(zone)?;
    Some((minutes * 60 + second) * 1000 + fraction)
}

/// Minutes east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.strip_prefix(['+', '-'])?.replace(':', "");
    let number = |range: std::ops::Range<usize>| number(digits.get(range)?);
    let (hours, minutes) = (number(0..2)?, number(2..4)?);
    (digits.len() == 4 && hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn three(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(number);
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Year, month and day of a number of days since 1970. Years begin in March here, so that the day
/// that comes and goes is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// The days since 1970 of a date that exists.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}
