//! What reading vulnerabilities needs: XQL, its quota, and Host Insights behind it.

use super::page::FirstPage;
use super::report::{Item, Report};
use crate::api::{
    Client, Fault, FaultKind, QueryAnswer, QueryRows, QueryStatus, Quota, Reply, TenantInfo,
};
use crate::configure::Settings;
use crate::platform::Platform;

/// The least that can be asked of Host Insights. It costs a few thousandths of a unit, and is the only way to know: a role
/// may give the quota and refuse queries, and the dataset may be empty or missing.
const PROBE: &str = "dataset = va_endpoints | fields endpoint_id | limit 1";

/// How far back the probe looks, in milliseconds; va_endpoints holds a state and ignores it.
const PROBE_RANGE: u64 = 86_400_000;

/// How long to wait before each time that the probe's results are asked for, in milliseconds; about ten seconds in all.
const WAITS: [u64; 8] = [0, 200, 500, 1000, 1000, 2000, 2500, 3000];

/// Query units for a row of CVE by endpoint: the upper end of what others report, 3 to 10 units for 50,000 rows.
const UNITS_PER_ROW: f64 = 10.0 / 50_000.0;

/// CVEs of an endpoint, assumed: a patched workstation has fewer, a neglected server more.
const ROWS_PER_ENDPOINT: f64 = 20.0;

/// Tries all of it. `endpoints` is what the check of endpoints saw.
pub async fn check<P: Platform>(
    client: &Client<P>,
    settings: &Settings,
    info: Option<&TenantInfo>,
    endpoints: Option<FirstPage>,
    report: &mut Report,
) {
    let quota = client.xql_quota().await.map(|reply| reply.value);
    match &quota {
        Ok(_) => report.passed(Item::QuotaPermission, "Permitted."),
        Err(fault) => report.fault(Item::QuotaPermission, fault),
    }
    let left = quota.as_ref().ok().and_then(left_today);
    match &quota {
        Ok(quota) => judge_quota(report, quota, settings.xql_daily_share, endpoints),
        Err(_) => report.skipped(Item::Quota, "It could not be read."),
    }
    let rows = if left.is_some_and(|left| left <= 0.0) {
        let reason = "Not tried: the day's XQL quota is used up.";
        report.skipped(Item::StartQuery, reason);
        report.skipped(Item::QueryResults, reason);
        None
    } else {
        probe(client, report).await
    };
    judge_host_insights(report, info.and_then(TenantInfo::host_insights), rows);
}

/// What is left of today's quota; none where the reply does not say.
fn left_today(quota: &Quota) -> Option<f64> {
    Some(quota.daily()? - quota.used_quota?)
}

fn judge_quota(report: &mut Report, quota: &Quota, share: f64, endpoints: Option<FirstPage>) {
    let Some(daily) = quota.daily() else {
        return report.warned(
            Item::Quota,
            "The API does not tell the day's quota, so that its use can't be bounded beforehand.",
            "",
        );
    };
    let most = daily * share;
    let estimate = endpoints
        .and_then(|page| page.total)
        .map(|total| total as f64 * ROWS_PER_ENDPOINT * UNITS_PER_ROW);
    let mut detail = format!("{} units a day", units(daily));
    if let Some(used) = quota.used_quota {
        detail += &format!(", {} of them used today", units(used));
    }
    detail += &format!(
        "; a sync may use {} of them (xqlDailyShare {share})",
        units(most)
    );
    if let Some(estimate) = estimate {
        detail += &format!(
            " and will need about {} (a rough estimate)",
            units(estimate)
        );
    }
    detail.push('.');
    if daily <= 0.0 {
        report.failed(
            Item::Quota,
            "The tenant has no XQL quota.",
            "Check the licence (Cortex XDR Pro, query units), or leave vulnerabilities out of dataStreams.",
        );
    } else if left_today(quota).is_some_and(|left| left <= 0.0) {
        report.warned(
            Item::Quota,
            detail,
            "The day's quota is used up: sync after 00:00 UTC, when it begins anew, or find the other tools that use it.",
        );
    } else if estimate.is_some_and(|estimate| estimate > most) {
        report.warned(
            Item::Quota,
            detail,
            "Raise xqlDailyShare, buy query units, or narrow the endpoints by tags; once its share is used, a sync starts no query and says so.",
        );
    } else if let (Some(estimate), Some(left)) = (estimate, left_today(quota))
        && estimate > left
    {
        report.warned(
            Item::Quota,
            detail,
            "What is left today may not do: sync after 00:00 UTC, when the quota begins anew.",
        );
    } else {
        report.passed(Item::Quota, detail);
    }
}

/// Runs the probe; whether it found a row, none where that is not known.
async fn probe<P: Platform>(client: &Client<P>, report: &mut Report) -> Option<bool> {
    let id = match client.start_xql_query(PROBE, PROBE_RANGE).await {
        Ok(reply) => reply.value,
        Err(fault) => {
            report_start(report, &fault);
            report.skipped(Item::QueryResults, "No query could be started.");
            return None;
        }
    };
    report.passed(Item::StartQuery, format!("Permitted; tried with: {PROBE}"));
    match results(client, &id).await {
        Ok(Some(answer)) => report_results(report, &answer),
        Ok(None) => {
            report.warned(
                Item::QueryResults,
                "Permitted, but a query for one row was still running after ten seconds.",
                "Try again later; other tools may be running queries.",
            );
            None
        }
        Err(fault) => {
            report.fault(Item::QueryResults, &fault);
            None
        }
    }
}

fn report_start(report: &mut Report, fault: &Fault) {
    if fault.kind == FaultKind::QueryRefused {
        report.failed(
            Item::StartQuery,
            format!(
                "Permitted, but the tenant does not know the dataset va_endpoints. {}",
                fault.message
            ),
            "Buy and enable Host Insights, or leave vulnerabilities out of dataStreams.",
        );
    } else {
        report.fault(Item::StartQuery, fault);
    }
}

/// Asks until the query is done; none where it still runs after the last time.
async fn results<P: Platform>(client: &Client<P>, id: &str) -> Result<Option<QueryAnswer>, Fault> {
    for wait in WAITS {
        if wait > 0 {
            client.platform().sleep(wait).await;
        }
        let Reply { value, .. } = client.xql_results(id).await?;
        if value.status != QueryStatus::Pending {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn report_results(report: &mut Report, answer: &QueryAnswer) -> Option<bool> {
    let any = match &answer.rows {
        Some(QueryRows::Inline(rows)) => !rows.is_empty(),
        Some(QueryRows::Stream(_)) => true,
        None => answer.number_of_results.is_some_and(|count| count > 0),
    };
    match &answer.status {
        QueryStatus::Success | QueryStatus::PartialSuccess => {
            let cost = answer
                .cost
                .map(|cost| format!(" It cost {} units.", units(cost)));
            report.passed(
                Item::QueryResults,
                format!(
                    "Permitted.{} Large results come through get_query_results_stream, which asks for the same permission.",
                    cost.unwrap_or_default()
                ),
            );
            Some(any)
        }
        QueryStatus::Failed => {
            report.failed(
                Item::QueryResults,
                format!(
                    "Permitted, but the query failed: {}",
                    answer.error.as_deref().unwrap_or("the API gives no reason.")
                ),
                "Run the same query in the console (Query Center); if it fails there too, ask the vendor's support.",
            );
            None
        }
        QueryStatus::Pending => None,
        QueryStatus::Unknown(word) => {
            report.warned(
                Item::QueryResults,
                format!(
                    "Permitted, but the query's state is one that is not documented: {word:?}."
                ),
                "Report this with the tenant's product version.",
            );
            None
        }
    }
}

/// What the licence says and what the probe found, together. Where they disagree, what was found counts.
fn judge_host_insights(report: &mut Report, licensed: Option<bool>, rows: Option<bool>) {
    const ENABLE: &str = "Buy the Host Insights add-on and enable Host Insights capabilities in the agent settings profile (first data comes within hours \
                          to days), or leave vulnerabilities out of dataStreams.";
    match (licensed, rows) {
        (_, Some(true)) => report.passed(Item::HostInsights, "Its dataset va_endpoints has data."),
        (Some(false), _) => report.failed(Item::HostInsights, "The tenant has not bought or enabled Host Insights.", ENABLE),
        (Some(true), Some(false)) => report.warned(
            Item::HostInsights,
            "Bought, but its dataset va_endpoints is empty.",
            "Enable Host Insights capabilities in the agent settings profile; first data comes within hours to days.",
        ),
        (Some(true), None) => report.passed(Item::HostInsights, "Bought; whether it has data could not be tried."),
        (None, Some(false)) => report.warned(
            Item::HostInsights,
            "Its dataset va_endpoints is empty, and the licence does not tell whether Host Insights is bought.",
            ENABLE,
        ),
        (None, None) => report.warned(Item::HostInsights, "Could not be told.", ENABLE),
    }
}

/// Units with as many digits as matter.
fn units(value: f64) -> String {
    if value >= 10.0 || value == 0.0 {
        format!("{value:.0}")
    } else if value >= 0.1 {
        format!("{value:.1}")
    } else {
        format!("{value:.4}")
    }
}
