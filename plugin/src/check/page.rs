//! The first record of what a sync would read: it proves permission and filters, and tells how much there is.

use super::report::{Item, Report};
use crate::api::{Client, Fault, Filter, PageRequest};
use crate::configure::Settings;
use crate::describe::Call;
use crate::platform::Platform;

/// The API stops counting here.
const MOST_COUNTED: u64 = 9_999;

/// What the first page told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstPage {
    /// How many records match; none where the API does not say.
    pub total: Option<u64>,
    /// Whether there is at least one.
    pub any: bool,
}

/// Asks for one record, with the filters of a sync. Any call but that for alerts asks for endpoints.
pub async fn first<P: Platform>(
    client: &Client<P>,
    settings: &Settings,
    call: Call,
) -> Result<FirstPage, Fault> {
    let mut request = PageRequest {
        filters: Vec::new(),
        sort: None,
        from: 0,
        to: 1,
    };
    let reply = if call == Call::GetAlertsMultiEvents {
        request.filters.push(Filter::any_of(
            "alert_source",
            settings.alert_sources.iter().cloned(),
        ));
        client.alerts(&request).await?
    } else {
        request.filters.push(Filter::any_of(
            "endpoint_status",
            settings.endpoint_statuses.iter().cloned(),
        ));
        client.endpoints(&request).await?
    };
    Ok(FirstPage {
        total: reply.value.total,
        any: !reply.value.records.is_empty(),
    })
}

/// Reports on endpoints.
pub fn endpoints(report: &mut Report, answer: &Result<FirstPage, Fault>) {
    match answer {
        Ok(page) if page.any => {
            report.passed(
                Item::Endpoints,
                format!("{} in the chosen states.", count(page, "endpoint")),
            );
        }
        Ok(_) => report.warned(
            Item::Endpoints,
            "Permitted, but the tenant has no endpoint in the chosen states.",
            "Check endpointStatuses, and whether the key's scope covers the endpoints.",
        ),
        Err(fault) => report.fault(Item::Endpoints, fault),
    }
}

/// Reports on alerts. None of them is good news, not a warning.
pub fn alerts(report: &mut Report, answer: &Result<FirstPage, Fault>) {
    match answer {
        Ok(page) if page.any => report.passed(
            Item::Alerts,
            format!(
                "{} of the chosen sources, in whatever status.",
                count(page, "alert")
            ),
        ),
        Ok(_) => report.passed(
            Item::Alerts,
            "Permitted; there is no alert of the chosen sources.",
        ),
        Err(fault) => report.fault(Item::Alerts, fault),
    }
}

fn count(page: &FirstPage, what: &str) -> String {
    match page.total {
        None => format!("Permitted; the API does not say how many {what}s there are"),
        Some(1) => format!("Permitted; 1 {what}"),
        Some(total) if total >= MOST_COUNTED => {
            format!("Permitted; {MOST_COUNTED} {what}s or more")
        }
        Some(total) => format!("Permitted; {total} {what}s"),
    }
}
