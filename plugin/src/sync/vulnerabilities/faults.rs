//! What can go wrong with the query beyond a call's own faults.

use crate::api::{self, FaultKind, QueryAnswer};
use crate::contract::Fault;
use crate::contract::types::Cause;
use crate::describe::Call;

/// A query that can't be parsed because a dataset is not there is a matter of the licence.
pub(super) fn read(fault: api::Fault) -> Fault {
    if fault.kind == FaultKind::QueryRefused && speaks_of_datasets(&fault.message) {
        return unlicensed(fault.call, fault.status, &fault.message);
    }
    fault.into()
}

/// Whether a text tells of an unknown dataset; an empty `parse_err` was seen for one too.
fn speaks_of_datasets(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    [
        "dataset",
        "va_endpoints",
        "va_cves",
        "\"parse_err\":\"\"",
        "\"parse_err\":null",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// The tenant lacks what the stream is made from.
pub(super) fn unlicensed(call: Call, status: Option<u16>, why: &str) -> Fault {
    Fault {
        cause: Cause::Unlicensed,
        call: call.name().to_owned(),
        status,
        message: format!(
            "{}: vulnerabilities come from the Host Insights datasets, which this tenant does not have.",
            why.trim_end_matches('.')
        ),
        remedy: "Buy the Host Insights add-on (with Cortex XDR Pro per Endpoint) and enable Host Insights capabilities in the agents' settings \
                 profile, or leave out the data stream vulnerabilities."
            .to_owned(),
    }
}

/// A query that ended badly.
pub(super) fn failed(answer: &QueryAnswer) -> Fault {
    let why = answer
        .error
        .clone()
        .unwrap_or_else(|| "no reason is given".to_owned());
    let message = format!("The XQL query failed ({why})");
    if speaks_of_datasets(&why) {
        return unlicensed(Call::GetXqlResults, Some(200), &message);
    }
    wrong_answer(format!("{message}."))
}

/// An answer that the API's documentation does not allow.
pub(super) fn wrong_answer(message: String) -> Fault {
    api::Fault::new(
        Call::GetXqlResults,
        Some(200),
        FaultKind::WrongShape,
        message,
        "Start the sync again; if it stays, report it with the tenant's product version.",
    )
    .into()
}

/// A query that takes longer than a run waits.
pub(super) fn waited_too_long() -> Fault {
    api::Fault::new(
        Call::GetXqlResults,
        Some(200),
        FaultKind::Unavailable,
        "The XQL query is still running after half an hour.",
        "Start the sync again later: it goes on with the same query.",
    )
    .into()
}
