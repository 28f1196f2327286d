//! Numbers that the store gives out. Each is meaningful within one tenant only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// A connection. Never reused, not even after the connection is removed.
    ConnectionId
}
id! {
    /// One run: one attempt to sync one data stream.
    RunId
}
id! {
    /// One sync of one data stream, from its first page to its end. A sync that was interrupted and goes on in a later run keeps its id, so that
    /// "seen in this sync" outlives the process. Later syncs have greater ids.
    SyncId
}
