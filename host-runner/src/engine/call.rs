//! How a call into a component ends where it does not end well.

use super::limits::LimitReached;
use super::meter::Meter;

/// A verb did not come to its end. The instance is gone; the process and all other instances go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// One of the host's limits.
    #[error("`{verb}` was ended: {reached}")]
    Limit {
        /// Which verb.
        verb: &'static str,
        /// Which limit.
        reached: LimitReached,
    },
    /// The component's own fault: unreachable code, a bad memory access, a broken rule of the component model.
    #[error("the connector failed in `{verb}`: {message}; report it to the connector's author")]
    Trap {
        /// Which verb.
        verb: &'static str,
        /// What wasmtime says.
        message: String,
    },
    /// It answered something that the contract does not allow.
    #[error(
        "the connector broke the contract in `{verb}`: {message}; report it to the connector's author"
    )]
    Contract {
        /// Which verb.
        verb: &'static str,
        /// What it did.
        message: String,
    },
    /// The instance was ended from outside.
    #[error("`{verb}` was cancelled")]
    Cancelled {
        /// Which verb.
        verb: &'static str,
    },
}

impl CallError {
    /// Tells a reached limit from a trap.
    pub(crate) fn from_wasmtime(
        verb: &'static str,
        error: &wasmtime::Error,
        meter: &Meter,
    ) -> Self {
        if let Some(reached) = error
            .downcast_ref::<LimitReached>()
            .cloned()
            .or_else(|| meter.reached())
        {
            return Self::Limit { verb, reached };
        }
        let trap = error.downcast_ref::<wasmtime::Trap>();
        // What lies above the cause is a list of the component's functions by number.
        let message = trap.map_or_else(|| error.root_cause().to_string(), ToString::to_string);
        if let Some(name) = limit_of(verb, trap, &message) {
            let reached = LimitReached::of(meter.limits(), name);
            return Self::Limit { verb, reached };
        }
        Self::Trap { verb, message }
    }
}

/// Which limit a trap speaks of, where wasmtime holds to it itself. It has no types for two of them.
fn limit_of(
    verb: &'static str,
    trap: Option<&wasmtime::Trap>,
    message: &str,
) -> Option<&'static str> {
    if trap == Some(&wasmtime::Trap::StackOverflow) {
        Some("stack")
    } else if message.contains("handle limit exceeded") {
        Some("handles")
    } else if message.contains("fuel allocated for hostcalls") {
        Some(if verb == DESCRIBE { "manifest" } else { "call" })
    } else {
        None
    }
}

/// The verb that makes a manifest.
pub(crate) const DESCRIBE: &str = "describe";
