//! What chaos did, one line each.

use std::fmt;

use super::fault::Fault;
use super::mutation::Mutation;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChaosEntry {
    /// Number of the request that it was done to, or before. The first has number 1.
    pub request: u64,
    /// The call, as `endpoints/get_endpoint`; the path, where it is none.
    pub call: String,
    /// What was done.
    pub act: ChaosAct,
    /// How, in a few words: rows, ids, times. Empty where there is nothing to say.
    pub detail: String,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChaosAct {
    /// A fault in the answer.
    Fault(Fault),
    /// A change to the tenant before the answer.
    Mutation(Mutation),
}

impl ChaosAct {
    /// The name of the fault or the mutation.
    pub fn name(self) -> &'static str {
        match self {
            ChaosAct::Fault(fault) => fault.name(),
            ChaosAct::Mutation(mutation) => mutation.name(),
        }
    }
}

impl fmt::Display for ChaosEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.act.name();
        match self.act {
            ChaosAct::Fault(_) => write!(f, "#{} {} {name}", self.request, self.call)?,
            ChaosAct::Mutation(_) => write!(f, "#{} before {}: {name}", self.request, self.call)?,
        }
        match self.detail.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", self.detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line() {
        let mut entry = ChaosEntry {
            request: 17,
            call: "endpoints/get_endpoint".into(),
            act: ChaosAct::Fault(Fault::ShortPage),
            detail: "61 of 100 rows".into(),
        };
        assert_eq!(
            entry.to_string(),
            "#17 endpoints/get_endpoint short-page (61 of 100 rows)"
        );
        entry.act = ChaosAct::Mutation(Mutation::AlertAdded);
        entry.detail.clear();
        assert_eq!(
            entry.to_string(),
            "#17 before endpoints/get_endpoint: alert-added"
        );
    }
}
