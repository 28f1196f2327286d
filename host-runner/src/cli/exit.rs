//! Exit codes, one for each kind of failure, so that a script can tell what to do next without reading a message.

use serde::Serialize;

/// How a command ended. The numbers are a promise to scripts: they may be added to, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// The command did what was asked.
    Success,
    /// A bug of the runner.
    Internal,
    /// The command line is wrong; nothing was done.
    Usage,
    /// Something handed over is wrong: a configuration, a map, a record, a file, a name.
    Input,
    /// The tenant's API refused the credentials, the permission or the licence, or a test failed.
    Refused,
    /// The API was not reached, kept failing, or answered what it should not.
    Api,
    /// The component is none, broke the contract, or reached a limit.
    Component,
    /// The data directory or a tenant's store can't be used.
    Store,
    /// Removals were held back until someone confirms them.
    Withheld,
    /// Another process is at work on the same connection.
    Busy,
    /// The connection is set aside: its component broke again and again, and someone must look first.
    SetAside,
    /// The component is not the one that its publisher gave: a hash or signature is wrong or missing.
    Untrusted,
    /// A build of the component reaches further than the one before.
    Reach,
    /// A recording was replayed, and the component did something else than it did then.
    Diverged,
    /// Stopped by the user; what was committed stays.
    Cancelled,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 15] = [
        Self::Success,
        Self::Internal,
        Self::Usage,
        Self::Input,
        Self::Refused,
        Self::Api,
        Self::Component,
        Self::Store,
        Self::Withheld,
        Self::Busy,
        Self::SetAside,
        Self::Untrusted,
        Self::Reach,
        Self::Diverged,
        Self::Cancelled,
    ];

    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Refused => 4,
            Self::Api => 5,
            Self::Component => 6,
            Self::Store => 7,
            Self::Withheld => 8,
            Self::Busy => 9,
            Self::SetAside => 10,
            Self::Untrusted => 11,
            Self::Reach => 12,
            Self::Diverged => 13,
            // What shells report for a process that ended by Ctrl-C.
            Self::Cancelled => 130,
        }
    }

    /// The word for it in `--json` errors.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Input => "input",
            Self::Refused => "refused",
            Self::Api => "api",
            Self::Component => "component",
            Self::Store => "store",
            Self::Withheld => "withheld",
            Self::Busy => "busy",
            Self::SetAside => "set-aside",
            Self::Untrusted => "untrusted",
            Self::Reach => "reach",
            Self::Diverged => "diverged",
            Self::Cancelled => "cancelled",
        }
    }

    /// What it means, in a line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done",
            Self::Internal => "a bug of host-runner",
            Self::Usage => "the command line is wrong; nothing was done",
            Self::Input => "a configuration, map, record, file or name is wrong",
            Self::Refused => {
                "the API refused the key, its permission or the licence; or a test failed"
            }
            Self::Api => "the API was not reached, kept failing, or answered what it should not",
            Self::Component => "the component is none, broke the contract, or reached a limit",
            Self::Store => "the data directory or a tenant's store can't be used",
            Self::Withheld => "removals were held back until someone confirms them",
            Self::Busy => "another process is at work on the same connection",
            Self::SetAside => {
                "the connection is set aside after its component broke again and again, until someone looks"
            }
            Self::Untrusted => {
                "the component is not what its publisher gave: a hash or signature is wrong or missing"
            }
            Self::Reach => "the new build of the component reaches further than the old one",
            Self::Diverged => "a replayed component did something else than was recorded",
            Self::Cancelled => "stopped by Ctrl-C; what was committed stays",
        }
    }

    /// The table at the end of `--help`.
    pub fn help_table() -> String {
        let mut text = String::from("Exit codes:\n");
        for exit in Self::ALL {
            text.push_str(&format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
        }
        text.push_str(
            "\nWith --json an error is one JSON object on stderr:\n  \
             {\"error\":{\"kind\":\"input\",\"message\":\"...\",\"remedy\":\"...\",\"exitCode\":3}}",
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn no_two_kinds_share_a_code_or_a_word() {
        for (at, one) in Exit::ALL.iter().enumerate() {
            for other in Exit::ALL.iter().skip(at + 1) {
                assert_ne!(one.code(), other.code(), "{one:?} and {other:?}");
                assert_ne!(one.word(), other.word(), "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn the_word_is_what_serde_writes() {
        for exit in Exit::ALL {
            assert_eq!(serde_json::to_value(exit).unwrap(), exit.word());
        }
    }

    #[test]
    fn the_help_names_each_code_and_its_meaning() {
        let table = Exit::help_table();
        for exit in Exit::ALL {
            assert!(table.contains(&format!("{:>3}  {}", exit.code(), exit.meaning())));
        }
    }
}
