//! What one component may use, by name: each limit has a default, a flag on the command line and an error that names it.

use std::fmt;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $field:ident: $name:literal, $default:literal, $unit:literal;)+) => {
        /// The limits of one connection's instances. Steps are the calls of `next`; every other verb counts as one step.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $field: u64,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Limits {
            /// All limits: name, unit, default and what each bounds.
            pub const ALL: &'static [LimitInfo] = &[
                $(LimitInfo { name: $name, unit: $unit, default: $default, bounds: concat!($($doc),+) },)+
            ];

            /// The value of the limit with this name.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $($name => Some(self.$field),)+
                    _ => None,
                }
            }

            /// Sets the limit with this name; false where there is none.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $($name => self.$field = value,)+
                    _ => return false,
                }
                true
            }
        }
    };
}

/// One limit, as the command line and the documents show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitInfo {
    /// Its name, also the flag's: `--limit-<name>`.
    pub name: &'static str,
    /// What it counts.
    pub unit: &'static str,
    /// What holds where nobody says otherwise.
    pub default: u64,
    /// What it bounds.
    pub bounds: &'static str,
}

limits! {
    /// Linear memory of one instance.
    memory_mib: "memory", 64, "MiB";
    /// Linear memory beyond which an instance is replaced at the end of a step: it never shrinks.
    recycle_mib: "recycle", 24, "MiB";
    /// Stack of one instance.
    stack_kib: "stack", 512, "KiB";
    /// Elements of all tables of one instance.
    table_elements: "table-elements", 50_000, "elements";
    /// Handles (bodies, readings, mappers, what it waits for) that one instance may hold at once.
    handles: "handles", 1_000, "handles";
    /// Time on the processor in one step.
    step_cpu_ms: "step-cpu", 10_000, "milliseconds";
    /// Time on the clock in one step; waiting for the API's budgets does not count.
    step_wall_s: "step-wall", 300, "seconds";
    /// Requests sent in one step, retries included.
    step_requests: "step-requests", 500, "requests";
    /// Requests of one connection that wait, are under way or whose body is still held.
    concurrent_requests: "concurrent-requests", 64, "requests";
    /// Bytes of one request's body.
    request_mib: "request", 4, "MiB";
    /// Bytes of the header lines of one request, and of one reply.
    headers_kib: "headers", 64, "KiB";
    /// Bytes of replies read in one step, after decompression.
    step_response_mib: "step-response", 256, "MiB";
    /// Bytes of one reply, after decompression.
    response_mib: "response", 2_048, "MiB";
    /// Lines logged in one step; further ones are counted and dropped.
    step_log_lines: "step-log-lines", 200, "lines";
    /// Lines logged in one run; further ones are dropped.
    sync_log_lines: "sync-log-lines", 10_000, "lines";
    /// Calls to the host in one step.
    step_host_calls: "step-host-calls", 1_000_000, "calls";
    /// Records in one step.
    step_records: "step-records", 20_000, "records";
    /// Bytes of one source record, and of one document with all that belongs to it.
    record_mib: "record", 8, "MiB";
    /// Bytes of one checkpoint.
    checkpoint_kib: "checkpoint", 1_024, "KiB";
    /// Bytes that the component hands over in one call.
    call_mib: "call", 64, "MiB";
    /// Bytes of a component's manifest.
    manifest_mib: "manifest", 4, "MiB";
    /// Names of filters by which one sync leaves records out.
    filters: "filters", 100, "names";
    /// Steps in a row that bring neither a record nor a new checkpoint.
    idle_steps: "idle-steps", 100, "steps";
    /// Steps of one sync.
    sync_steps: "sync-steps", 10_000_000, "steps";
    /// Requests of one sync.
    sync_requests: "sync-requests", 5_000_000, "requests";
    /// Time of one sync on the clock.
    sync_wall_h: "sync-wall", 48, "hours";
    /// Time to compile a component that is not in the cache.
    compile_s: "compile", 120, "seconds";
    /// Size of a component's file.
    component_mib: "component", 32, "MiB";
}

/// A limit was reached: the call ends, the process goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitReached {
    /// The limit's name.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
}

impl LimitReached {
    /// The limit of this name, with its value from `limits`.
    #[must_use]
    pub fn of(limits: &Limits, name: &'static str) -> Self {
        Self {
            name,
            value: limits.get(name).unwrap_or_default(),
        }
    }
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = Limits::ALL.iter().find(|info| info.name == self.name);
        let unit = info.map_or("", |info| info.unit);
        write!(
            f,
            "the limit `{}` ({} {unit}) was reached",
            self.name, self.value
        )
    }
}

impl std::error::Error for LimitReached {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_read_and_set_by_its_name() {
        let mut limits = Limits::default();
        for info in Limits::ALL {
            assert_eq!(limits.get(info.name), Some(info.default));
            assert!(limits.set(info.name, 7));
            assert_eq!(limits.get(info.name), Some(7));
            assert!(!info.bounds.is_empty());
        }
        assert!(!limits.set("no-such-limit", 1));
    }

    #[test]
    fn the_error_names_the_limit_its_value_and_its_unit() {
        let reached = LimitReached::of(&Limits::default(), "memory");
        assert_eq!(
            reached.to_string(),
            "the limit `memory` (64 MiB) was reached"
        );
    }
}
