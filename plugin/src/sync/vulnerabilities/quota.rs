//! Whether the day's XQL quota allows a query.

use crate::api::{Fault, FaultKind, Quota, time};
use crate::describe::Call;

const WAIT: &str =
    "Wait until 00:00 UTC, when the quota begins anew, raise xqlDailyShare, or buy more units.";

/// What the quota says about starting a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Allowance {
    /// It may start.
    Granted,
    /// It may start, but nothing says how much is left.
    Unknown,
}

/// Judges the day's quota against the share of it that the connection may use, counting what all users of the tenant used.
///
/// What a query will cost is not known before it has run. The cost of the same query in an earlier sync is the best guess: with it
/// the query starts only if it fits into what is left of the share. Without it the query starts while anything is left, and may
/// then overstep the share once.
pub(super) fn judge(
    quota: &Quota,
    share: f64,
    last_cost: Option<f64>,
    now: u64,
) -> Result<Allowance, Fault> {
    let (Some(daily), Some(used)) = (quota.daily(), quota.used_quota) else {
        return Ok(Allowance::Unknown);
    };
    let allowed = daily * share;
    let cost = last_cost.unwrap_or_default();
    if used < allowed && used + cost <= allowed {
        return Ok(Allowance::Granted);
    }
    let so_far = format!("{used} of the tenant's {daily} XQL units are used today");
    let (message, remedy) = if cost > allowed {
        (
            format!(
                "The XQL query cost {cost} units the last time, more than the {allowed} that this connection may use in a day (its xqlDailyShare \
                 is {share})."
            ),
            "Raise xqlDailyShare or buy more units: waiting does not help.",
        )
    } else if used < allowed {
        (
            format!(
                "{so_far}, the query cost {cost} the last time, and with this connection's query no more than {allowed} may be used (its \
                 xqlDailyShare is {share})."
            ),
            WAIT,
        )
    } else {
        (
            format!(
                "{so_far}, and this connection starts no query once {allowed} are used (its xqlDailyShare is {share})."
            ),
            WAIT,
        )
    };
    Err(Fault::new(
        Call::GetXqlQuota,
        Some(200),
        FaultKind::QuotaExhausted(time::next_midnight(now)),
        message,
        remedy,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_709_164_800_001;

    fn quota(license: Option<f64>, used: Option<f64>) -> Quota {
        Quota {
            license_quota: license,
            additional_purchased_quota: None,
            used_quota: used,
        }
    }

    #[test]
    fn a_query_starts_only_below_the_share_of_the_day() {
        assert_eq!(
            judge(&quota(Some(5.0), Some(2.4)), 0.5, None, NOW).unwrap(),
            Allowance::Granted
        );
        let fault = judge(&quota(Some(5.0), Some(2.5)), 0.5, None, NOW).unwrap_err();
        assert_eq!(fault.kind, FaultKind::QuotaExhausted(1_709_251_200_000));
        assert!(
            fault.message.contains("2.5 of the tenant's 5 XQL units"),
            "{}",
            fault.message
        );
    }

    #[test]
    fn a_query_that_would_overstep_the_share_by_what_it_cost_last_time_does_not_start() {
        let quota = quota(Some(5.0), Some(1.5));
        assert_eq!(
            judge(&quota, 0.5, Some(1.0), NOW).unwrap(),
            Allowance::Granted
        );
        let fault = judge(&quota, 0.5, Some(1.25), NOW).unwrap_err();
        assert_eq!(fault.kind, FaultKind::QuotaExhausted(1_709_251_200_000));
        assert!(
            fault.message.contains("cost 1.25 the last time"),
            "{}",
            fault.message
        );
        let fault = judge(&quota, 0.5, Some(3.0), NOW).unwrap_err();
        assert!(
            fault.message.contains("more than the 2.5") && fault.remedy.contains("does not help"),
            "{fault:?}"
        );
    }

    #[test]
    fn a_tenant_without_any_quota_starts_nothing() {
        assert!(judge(&quota(Some(0.0), Some(0.0)), 1.0, None, NOW).is_err());
    }

    #[test]
    fn a_quota_that_is_not_told_is_unknown_and_not_used_up() {
        assert_eq!(
            judge(&quota(None, Some(3.0)), 0.5, None, NOW).unwrap(),
            Allowance::Unknown
        );
        assert_eq!(
            judge(&quota(Some(3.0), None), 0.5, None, NOW).unwrap(),
            Allowance::Unknown
        );
    }
}
