//! How fast requests go out, and where the component's limits are.

use std::fmt;
use std::str::FromStr;

use clap::Args;

/// What every command that runs a component takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Pace and limits")]
pub struct PaceArgs {
    /// Send at most so many requests per second; `unlimited` only to this machine [default: four fifths of the API's limit]
    #[arg(long, value_name = "N|unlimited")]
    pub requests_per_second: Option<RequestRate>,
}

/// The rate that the user asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RequestRate {
    /// So many requests per second; more than 0, at most 10,000.
    PerSecond(f64),
    /// As fast as they are answered.
    Unlimited,
}

impl FromStr for RequestRate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("unlimited") {
            return Ok(Self::Unlimited);
        }
        let rate: f64 = text.parse().map_err(|_| RateError)?;
        if rate.is_finite() && rate >= 0.001 && rate <= 10_000.0 {
            Ok(Self::PerSecond(rate))
        } else {
            Err(RateError)
        }
    }
}

impl fmt::Display for RequestRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerSecond(rate) => write!(f, "{rate}"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// What was typed is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number from 0.001 to 10000, or `unlimited`")]
pub struct RateError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_numbers_or_unlimited() {
        for (text, rate) in [
            ("8", Ok(RequestRate::PerSecond(8.0))),
            ("0.5", Ok(RequestRate::PerSecond(0.5))),
            ("unlimited", Ok(RequestRate::Unlimited)),
            ("Unlimited", Ok(RequestRate::Unlimited)),
            ("0", Err(RateError)),
            ("-1", Err(RateError)),
            ("NaN", Err(RateError)),
            ("inf", Err(RateError)),
            ("1e9", Err(RateError)),
            ("", Err(RateError)),
            ("fast", Err(RateError)),
        ] {
            assert_eq!(text.parse(), rate, "{text}");
        }
    }
}
