//! Whether the day's XQL quota allows a query.

use crate::api::{Fault, FaultKind, Quota, time};
use crate::describe::Call;

/// What the quota says about starting a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Allowance {
    /// It may start.
    Granted,
    /// It may start, but nothing says how much is left.
    Unknown,
}

/// Judges the day's quota against the share of it that the connection may use, counting what all users of the tenant used.
pub(super) fn judge(quota: &Quota, share: f64, now: u64) -> Result<Allowance, Fault> {
    let (Some(daily), Some(used)) = (quota.daily(), quota.used_quota) else {
        return Ok(Allowance::Unknown);
    };
    let allowed = daily * share;
    if used < allowed {
        return Ok(Allowance::Granted);
    }
    let until = time::next_midnight(now);
    Err(Fault::new(
        Call::GetXqlQuota,
        Some(200),
        FaultKind::QuotaExhausted(until),
        format!(
            "{used} of the tenant's {daily} XQL units are used today, and this connection starts no query once {allowed} are used (its xqlDailyShare is \
             {share})."
        ),
        "Wait until 00:00 UTC, when the quota begins anew, raise xqlDailyShare, or buy more units.",
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
            judge(&quota(Some(5.0), Some(2.4)), 0.5, NOW).unwrap(),
            Allowance::Granted
        );
        let fault = judge(&quota(Some(5.0), Some(2.5)), 0.5, NOW).unwrap_err();
        assert_eq!(fault.kind, FaultKind::QuotaExhausted(1_709_251_200_000));
        assert!(
            fault.message.contains("2.5 of the tenant's 5 XQL units"),
            "{}",
            fault.message
        );
    }

    #[test]
    fn a_tenant_without_any_quota_starts_nothing() {
        assert!(judge(&quota(Some(0.0), Some(0.0)), 1.0, NOW).is_err());
    }

    #[test]
    fn a_quota_that_is_not_told_is_unknown_and_not_used_up() {
        assert_eq!(
            judge(&quota(None, Some(3.0)), 0.5, NOW).unwrap(),
            Allowance::Unknown
        );
        assert_eq!(
            judge(&quota(Some(3.0), None), 0.5, NOW).unwrap(),
            Allowance::Unknown
        );
    }
}
