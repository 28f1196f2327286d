//! The changes that a living tenant goes through between requests: their names and what each does.

use std::fmt;

macro_rules! mutations {
    ($( #[doc = $about:literal] $variant:ident $name:literal; )*) => {
        /// One kind of change to the tenant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutation {
            $( #[doc = $about] $variant, )*
        }

        impl Mutation {
            /// All mutations.
            pub const ALL: &[Mutation] = &[ $( Mutation::$variant, )* ];

            /// The stable name, as the command line takes it.
            pub fn name(self) -> &'static str {
                match self { $( Mutation::$variant => $name, )* }
            }

            /// What it does, in a sentence.
            pub fn about(self) -> &'static str {
                match self { $( Mutation::$variant => $about.trim_ascii(), )* }
            }
        }
    };
}

mutations! {
    /// an endpoint is added
    EndpointAdded "endpoint-added";
    /// an endpoint gets another host name
    EndpointRenamed "endpoint-renamed";
    /// an endpoint loses or gets a tag
    EndpointRetagged "endpoint-retagged";
    /// an endpoint gets another status
    EndpointStatus "endpoint-status";
    /// an endpoint's scan finds another CVE, or one less
    EndpointCves "endpoint-cves";
    /// some endpoints report in: last_seen moves
    EndpointHeartbeat "endpoint-heartbeat";
    /// an endpoint is deleted
    EndpointDeleted "endpoint-deleted";
    /// an alert is added, now or with a creation time in the past
    AlertAdded "alert-added";
    /// an alert gets another severity, or is looked into
    AlertChanged "alert-changed";
    /// an alert is resolved
    AlertResolved "alert-resolved";
    /// a resolved alert is new again
    AlertReopened "alert-reopened";
    /// an alert is deleted
    AlertDeleted "alert-deleted";
}

impl Mutation {
    /// The mutation of a name.
    pub fn find(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|mutation| mutation.name() == name)
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::fault::Fault;

    #[test]
    fn names_are_distinct_also_from_those_of_faults_and_lead_back() {
        for mutation in Mutation::ALL {
            assert_eq!(Mutation::find(mutation.name()), Some(*mutation));
            assert_eq!(Fault::find(mutation.name()), None, "{mutation}");
        }
    }
}
