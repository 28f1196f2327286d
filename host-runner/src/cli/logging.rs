//! What the runner tells about its own work: lines on stderr, as many as `-v` asks for.

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Libraries whose most verbose lines hold what goes over the wire: headers, and with them keys. They are never let
/// through, whatever `RUST_LOG` says.
const WIRE: [&str; 6] = ["hyper", "hyper_util", "reqwest", "rustls", "h2", "sqlx"];

/// Which lines are wanted, by `-v` and `-q`.
fn level(verbose: u8, quiet: bool) -> (LevelFilter, LevelFilter) {
    match (quiet, verbose) {
        (true, _) => (LevelFilter::ERROR, LevelFilter::ERROR),
        (false, 0) => (LevelFilter::WARN, LevelFilter::ERROR),
        (false, 1) => (LevelFilter::INFO, LevelFilter::WARN),
        (false, 2) => (LevelFilter::DEBUG, LevelFilter::WARN),
        (false, _) => (LevelFilter::TRACE, LevelFilter::INFO),
    }
}

/// Starts it. `RUST_LOG`, where set, says more exactly than `-v` which lines are wanted. With `json` each line is a JSON object.
/// A second call in one process changes nothing.
pub fn start(verbose: u8, quiet: bool, json: bool) {
    let (own, others) = level(verbose, quiet);
    let filter = std::env::var(EnvFilter::DEFAULT_ENV)
        .ok()
        .filter(|text| !text.trim().is_empty())
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new(format!("{others},host_runner={own}")));
    let filter = filter.and(filter_fn(|metadata| {
        is_wanted(metadata.target(), *metadata.level())
    }));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(verbose > 1);
    let lines = if json {
        lines.json().boxed()
    } else {
        lines.boxed()
    };
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
}

fn is_wanted(target: &str, level: Level) -> bool {
    let library = target.split("::").next().unwrap_or(target);
    !WIRE.contains(&library) || level <= Level::INFO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_the_wire_is_never_logged() {
        assert!(!is_wanted("hyper::proto::h1::io", Level::TRACE));
        assert!(!is_wanted("reqwest::connect", Level::DEBUG));
        assert!(is_wanted("reqwest::connect", Level::WARN));
        assert!(is_wanted("host_runner::pipeline", Level::TRACE));
        assert!(is_wanted("hyperspace", Level::TRACE));
    }

    #[test]
    fn quiet_leaves_errors_only() {
        assert_eq!(level(3, true).0, LevelFilter::ERROR);
        assert_eq!(level(0, false).0, LevelFilter::WARN);
        assert_eq!(level(9, false).0, LevelFilter::TRACE);
    }
}
