//! When two spellings are the same number.
//!
//! Exact for any number of digits and any exponent: nothing is computed in floating point and no
//! power of ten is ever written out.

use rehearsal_model::Number;

/// A number in a form that is equal exactly when the value is, within its way of spelling: integers
/// and decimals (with a fraction or an exponent) are never the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Canonical {
    Integer {
        negative: bool,
        digits: String,
    },
    /// `digits` without zeros at either end, times ten to the `exponent`.
    Decimal {
        negative: bool,
        digits: String,
        exponent: String,
    },
}

pub(crate) fn canonical(number: &Number) -> Canonical {
    let text = number.as_str();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    if number.is_integer() {
        let digits = text.trim_start_matches('0').to_owned();
        return Canonical::Integer { negative: negative && !digits.is_empty(), digits };
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    digits.truncate(digits.len() - trailing);
    let digits = digits.trim_start_matches('0').to_owned();
    if digits.is_empty() {
        return Canonical::Decimal { negative: false, digits, exponent: String::new() };
    }
    let exponent = add(exponent, trailing as i128 - fraction.len() as i128);
    Canonical::Decimal { negative, digits, exponent }
}

/// The sum of a decimal integer of any length and a number of digits, in plain spelling.
fn add(text: &str, count: i128) -> String {
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches(['+', '-']).trim_start_matches('0');
    if digits.len() <= 30 {
        let small = digits.parse::<i128>().unwrap_or(0);
        return (if negative { -small } else { small } + count).to_string();
    }
    // The count is too small to change the sign of a number of so many digits.
    let mut carry = if negative { -count } else { count };
    let mut out = digits.as_bytes().to_vec();
    for digit in out.iter_mut().rev() {
        carry += i128::from(*digit - b'0');
        *digit = b'0' + carry.rem_euclid(10) as u8;
        carry = carry.div_euclid(10);
        if carry == 0 {
            break;
        }
    }
    let mut sum = if carry > 0 { carry.to_string() } else { String::new() };
    sum.extend(out.iter().map(|digit| char::from(*digit)));
    format!("{}{}", if negative { "-" } else { "" }, sum.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Canonical {
        canonical(&Number::parse(text).unwrap())
    }

    #[track_caller]
    fn same(spellings: &[&str]) {
        for text in spellings {
            assert_eq!(of(text), of(spellings[0]), "{text}");
        }
    }

    #[test]
    fn equal_values_are_equal() {
        same(&["1.10", "1.1", "11e-1", "0.11e1", "110E-2", "0.00011e+4"]);
        same(&["0.0", "-0.0", "0e99999999999999999999999999999999999999999", "0.000"]);
        same(&["0", "-0"]);
        same(&["1e3", "1000.0", "1000e0", "0.001e6"]);
        let nines = "9".repeat(40);
        same(&[&format!("1e{nines}"), &format!("0.1e1{}", "0".repeat(40))]);
        same(&[&format!("10e-{nines}"), &format!("1e-{}8", "9".repeat(39))]);
        let border = "9".repeat(30);
        same(&[&format!("10e{border}"), &format!("1e1{}", "0".repeat(30))]);
    }

    #[test]
    fn different_values_differ() {
        let all = ["1", "1.0", "-1", "-1.0", "10", "1e1000", "1e1001", "1.0000000000000000000001"];
        for (place, one) in all.iter().enumerate() {
            for other in &all[place + 1..] {
                assert_ne!(of(one), of(other), "{one} {other}");
            }
        }
        assert_ne!(of("18446744073709551616"), of("18446744073709551617"));
    }
}
