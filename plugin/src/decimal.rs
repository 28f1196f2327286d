//! Decimal numbers in text.
//!
//! Read with the JSON reader that is in the component anyway: the standard library's own reader would be the only other one, and
//! brings 16 kB of code and tables.

/// A finite number in decimal notation, as `f64`'s own `parse` reads it: sign, digits, fraction and exponent, with digits on at least one
/// side of the point. None for anything else, "inf" and "nan" among it.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => ("-", text.get(1..)?),
        b'+' => ("", text.get(1..)?),
        _ => ("", text),
    };
    let end = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at_checked(end)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(whole) && digits(fraction)) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    // JSON wants digits on both sides of the point, and no zero before others.
    let whole = whole.trim_start_matches('0');
    let zero = if whole.is_empty() { "0" } else { "" };
    let json = format!("{sign}{zero}{whole}.{fraction}0{exponent}");
    let value: serde_json::Value = serde_json::from_slice(json.as_bytes()).ok()?;
    value.as_f64().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the standard library reads, without its words for what is no number.
    fn expected(text: &str) -> Option<f64> {
        let plain = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
        let number = text.parse::<f64>().ok()?;
        (plain && number.is_finite()).then_some(number)
    }

    #[test]
    fn every_way_to_write_a_number_is_read_and_nothing_else() {
        for text in [
            "0",
            "-0",
            "7",
            "+7",
            "007",
            ".5",
            "5.",
            "-.5",
            "+5.25e3",
            "1E-7",
            "00.10",
            "1e+2",
            "1e400",
            "-1e-400",
            "9007199254740993",
            "0.1234567890123456789",
            "",
            ".",
            "-",
            "+-1",
            "1e",
            "1e+",
            "e5",
            "1.2.3",
            "1 ",
            "0x10",
            "1_000",
            "inf",
            "nan",
            "infinity",
            "1,5",
            "١",
        ] {
            assert_eq!(decimal(text), expected(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_those_that_the_standard_library_reads(text in "[+-]?[0-9]{0,20}\\.?[0-9]{0,20}([eE][+-]?[0-9]{0,3})?") {
            prop_assert_eq!(decimal(&text).map(f64::to_bits), expected(&text).map(f64::to_bits));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,12}") {
            prop_assert_eq!(decimal(&text).map(f64::to_bits), expected(&text).map(f64::to_bits));
        }
    }
}
