//! How fast requests go out, and where the component's limits are.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use clap::{Arg, ArgMatches, Args, FromArgMatches, value_parser};

use crate::egress::Rate;
use crate::engine::Limits;

const HEADING: &str = "Pace and limits";

/// What every command that runs a component takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
pub struct PaceArgs {
    /// Send at most so many requests per second; `unlimited` only to this machine [default: four fifths of the API's limit]
    #[arg(long, value_name = "N|unlimited")]
    pub requests_per_second: Option<RequestRate>,

    /// The limits that are set by hand.
    #[command(flatten)]
    pub limits: LimitArgs,
}

impl PaceArgs {
    /// The rate as the way out takes it.
    pub fn rate(&self) -> Rate {
        match self.requests_per_second {
            None => Rate::default(),
            Some(RequestRate::PerSecond(rate)) => Rate::PerSecond(rate),
            Some(RequestRate::Unlimited) => Rate::Unlimited,
        }
    }

    /// All limits: the defaults, and what is set by hand.
    pub fn limits(&self) -> Limits {
        self.limits_over(Limits::default())
    }

    /// These limits, and over them what is set by hand.
    pub fn limits_over(&self, mut limits: Limits) -> Limits {
        for (name, value) in &self.limits.set {
            limits.set(name, *value);
        }
        limits
    }
}

/// One flag for each of the engine's limits, `--limit-<name>`, made from their list so that none can be forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitArgs {
    set: Vec<(&'static str, u64)>,
}

/// The flags' names. They live as long as the process, as clap wants them.
static FLAGS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    Limits::ALL
        .iter()
        .map(|limit| &*format!("limit-{}", limit.name).leak())
        .collect()
});

impl Args for LimitArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        Limits::ALL
            .iter()
            .zip(FLAGS.iter())
            .fold(command, |command, (limit, flag)| {
                let help = format!(
                    "{} [default: {} {}]",
                    limit.bounds.trim().trim_end_matches('.'),
                    limit.default,
                    limit.unit
                );
                command.arg(
                    Arg::new(*flag)
                        .long(*flag)
                        .value_name("N")
                        .help(help)
                        .help_heading(HEADING)
                        .hide_short_help(true)
                        .value_parser(value_parser!(u64).range(1..)),
                )
            })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LimitArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let set = Limits::ALL
            .iter()
            .zip(FLAGS.iter())
            .filter_map(|(limit, flag)| {
                matches
                    .get_one::<u64>(flag)
                    .map(|value| (limit.name, *value))
            })
            .collect();
        Ok(Self { set })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
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
        if (0.001..=10_000.0).contains(&rate) {
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
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Any {
        #[command(flatten)]
        pace: PaceArgs,
    }

    #[test]
    fn every_limit_has_a_flag_that_sets_it() {
        for limit in Limits::ALL {
            let read =
                Any::try_parse_from(["any", &format!("--limit-{}", limit.name), "7"]).unwrap();
            assert_eq!(read.pace.limits().get(limit.name), Some(7));
        }
        assert!(Any::try_parse_from(["any", "--limit-memory", "0"]).is_err());
        let read = Any::try_parse_from(["any"]).unwrap();
        assert_eq!(read.pace.limits(), Limits::default());
    }

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
