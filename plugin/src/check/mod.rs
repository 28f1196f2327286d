//! What a sync will need, tried and told: the contract's `test`.
//!
//! One report with every check in it, whatever happens: what no chosen data stream needs, and what can't be tried because
//! something before it failed, is skipped and says so.

mod clock;
mod key;
mod licence;
mod page;
mod reach;
mod report;
mod xql;

use crate::api::Client;
use crate::configure::{DataStream, Settings};
use crate::contract::Check;
use crate::describe::Call;
use crate::platform::Platform;
use report::{Item, Report};

/// Tries what a sync of the chosen data streams will need, and tells all that it saw.
pub async fn check<P: Platform>(platform: &P, settings: &Settings) -> Vec<Check> {
    let mut report = Report::default();
    let reason = run(platform, settings, &mut report).await;
    report.finish(reason)
}

/// Fills the report, and gives the reason for what it left out.
async fn run<P: Platform>(platform: &P, settings: &Settings, report: &mut Report) -> &'static str {
    let chosen = |stream| settings.data_streams.contains(&stream);
    let needs_alerts = chosen(DataStream::Alerts);
    let needs_vulnerabilities = chosen(DataStream::Vulnerabilities);
    let needs_endpoints = chosen(DataStream::Endpoints) || needs_vulnerabilities;
    skip_what_is_not_needed(report, needs_endpoints, needs_alerts, needs_vulnerabilities);

    let client = Client::new(platform.clone(), settings);
    let Some(reached) = reach::check(&client, settings, report).await else {
        return "Not tried: the host could not be reached safely.";
    };
    clock::check(report, reached.ahead, settings.security_level);

    let first_call = if needs_endpoints {
        Call::GetEndpoint
    } else {
        Call::GetAlertsMultiEvents
    };
    let Some(accepted) = key::check(&client, settings, first_call, reached.ahead, report).await
    else {
        return "Not tried: the key was not accepted.";
    };
    let client = accepted.client;

    let mut endpoints_seen = None;
    if needs_endpoints {
        page::endpoints(report, &accepted.first);
        endpoints_seen = accepted.first.as_ref().ok().copied();
    }
    if needs_alerts {
        if needs_endpoints {
            let answer = page::first(&client, settings, Call::GetAlertsMultiEvents).await;
            page::alerts(report, &answer);
        } else {
            page::alerts(report, &accepted.first);
        }
    }

    let info = client.tenant_info().await.map(|reply| reply.value);
    licence::check(report, settings, &info, platform.now());
    if needs_vulnerabilities {
        xql::check(
            &client,
            settings,
            info.as_ref().ok(),
            endpoints_seen,
            report,
        )
        .await;
    }
    "Not tried."
}

fn skip_what_is_not_needed(
    report: &mut Report,
    endpoints: bool,
    alerts: bool,
    vulnerabilities: bool,
) {
    if !endpoints {
        report.skipped(
            Item::Endpoints,
            "Not needed: neither endpoints nor vulnerabilities are chosen.",
        );
    }
    if !alerts {
        report.skipped(Item::Alerts, "Not needed: alerts are not chosen.");
    }
    if !vulnerabilities {
        for item in [
            Item::HostInsights,
            Item::QuotaPermission,
            Item::StartQuery,
            Item::QueryResults,
            Item::Quota,
        ] {
            report.skipped(item, "Not needed: vulnerabilities are not chosen.");
        }
    }
}

#[cfg(test)]
mod tests;
